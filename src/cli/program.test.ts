import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type CommandEntry, runProgram } from './program.js';

/** Runs a command line against a table of two commands, and tells what was loaded, called and printed. */
async function run(...args: string[]) {
  const loaded: string[] = [];
  const calls: unknown[] = [];
  let out = '';
  let err = '';
  const entry = (name: string, summary: string, build: () => Command): CommandEntry => ({
    name,
    summary,
    load: async () => {
      loaded.push(name);
      return { command: build };
    },
  });
  const commands = [
    entry('sentinel', 'watch and fail over', () =>
      new Command('sentinel')
        .argument('<file>')
        .argument('[directives...]')
        .allowUnknownOption()
        .passThroughOptions()
        .action((file: string, directives: string[]) => {
          calls.push({ file, directives });
        }),
    ),
    entry('demo', 'show a failover', () =>
      new Command('demo').option('--exit', 'leave at the end').action((options: object) => {
        calls.push(options);
      }),
    ),
  ];
  const code = await runProgram(args, commands, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, loaded, calls, out, err };
}

describe('tanist', () => {
  it('lists its commands and loads none', async () => {
    const { code, loaded, out } = await run('--help');
    expect({ code, loaded }).toEqual({ code: 0, loaded: [] });
    expect(out).toMatch(/Usage: tanist \[options\] \[command\]/);
    expect(out).toMatch(/\n +sentinel +watch and fail over\n +demo +show a failover/);
  });

  it('prints its version', async () => {
    const { code, out } = await run('--version');
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('shows its help as an error when nothing is asked', async () => {
    const { code, out, err } = await run();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Usage: tanist');
  });

  it('suggests what an unknown command may have meant', async () => {
    const { code, err, loaded } = await run('sentinal');
    expect({ code, loaded }).toEqual({ code: 2, loaded: [] });
    expect(err).toBe("error: unknown command 'sentinal'\n(Did you mean sentinel?)\n");
  });

  it('loads the command that is called, alone', async () => {
    const { code, loaded, calls } = await run('demo', '--exit');
    expect({ code, loaded, calls }).toEqual({ code: 0, loaded: ['demo'], calls: [{ exit: true }] });
  });

  it('loads a command for its help', async () => {
    const { code, loaded, out } = await run('help', 'demo');
    expect({ code, loaded }).toEqual({ code: 0, loaded: ['demo'] });
    expect(out).toContain('leave at the end');
  });

  it('refuses an option that a command does not know', async () => {
    const { code, err, calls } = await run('demo', '--exot');
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(err).toContain('(Did you mean --exit?)');
  });

  it('lets the options after the file of a drop-in through as they are', async () => {
    const { calls } = await run('sentinel', 'a.conf', '--port', '26380', '--sentinel', '--version', '--help');
    expect(calls).toEqual([{ file: 'a.conf', directives: ['--port', '26380', '--sentinel', '--version', '--help'] }]);
  });
});
