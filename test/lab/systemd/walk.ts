/** The tutorial, step by step, on the hosts that each step names. */
import { until } from '../../support/until.js';
import type { BootedHost } from './booted-host.js';
import type { Findings } from './findings.js';
import { type Block, commandsOf, tutorialBlocks } from './tutorial.js';

/** What a step's commands must have said, wherever that is one line. */
const EXPECTED: Readonly<Record<number, readonly RegExp[]>> = {
  3: [/^Cluster shop {2}3 hosts vote, 2 decide/m],
  6: [/^10\.0\.0\.2:6379 leads mymaster since epoch 1/m, /^hello$/m],
};

/** @param root of the clone */
export async function followTutorial(hosts: readonly BootedHost[], root: string, findings: Findings): Promise<void> {
  const blocks = tutorialBlocks(root);
  const [a, b, c] = hosts;
  if (a === undefined || b === undefined || c === undefined) throw new Error('the tutorial has three hosts');
  const left = commandsOf(blocks, 1).left;
  console.log(`\nDone before, by the tree and the clone:\n${left.map((line) => `    ${line}`).join('\n')}`);
  const file = blocks.find(({ kind }) => kind === 'yaml')?.text ?? '';
  for (const step of [1, 2]) {
    for (const host of hosts) {
      // The file stands between the two blocks of its step.
      if (step === 2) await host.write('/etc/tanist/tanist.yml', file);
      await walk(host, blocks, step, findings);
    }
  }
  await walk(a, blocks, 3, findings);
  await Promise.all(hosts.map((host) => walk(host, blocks, 4, findings)));
  await until(async () => /Voters: 3 of 3/.test((await c.run('tanist status')).text) && (await ready(c)), {
    what: 'three members that are well',
    deadline_ms: 30_000,
    interval_ms: 500,
  });
  // The two blocks: a look on any host, then three doors.
  const doors = await walk(c, blocks, 5, findings);
  findings.check(
    'three doors lead to the master',
    /^10\.0\.0\.1\n6379$/m.test(doors) && /^OK\nhello$/m.test(doors),
    'a',
  );
  // As in one terminal: the password was exported in the step before.
  await walk(a, blocks, 6, findings, 'export REDISCLI_AUTH=choose-a-long-one');
  await breakIt(b, c, blocks, findings);
}

async function walk(
  host: BootedHost,
  blocks: readonly Block[],
  step: number,
  findings: Findings,
  before = '',
): Promise<string> {
  const { run } = commandsOf(blocks, step);
  const { code, text } = await host.run(`${before}\n${run}`);
  findings.heard(host.host.name, run, text);
  const missing = (EXPECTED[step] ?? []).filter((pattern) => !pattern.test(text));
  const seen = missing.length === 0 ? `exit code ${code}` : `not said: ${missing.join(', ')}`;
  findings.check(`step ${step} on ${host.host.name}`, code === 0 && missing.length === 0, seen);
  return text;
}

/** Step 7: its first line on the master's host, and then from elsewhere until it answers. */
async function breakIt(master: BootedHost, elsewhere: BootedHost, blocks: readonly Block[], findings: Findings) {
  const [kill = '', ask = ''] = commandsOf(blocks, 7).run.split('\n');
  const began = performance.now();
  findings.heard(master.host.name, kill, await master.must(kill));
  await until(async () => (await elsewhere.run(`export REDISCLI_AUTH=choose-a-long-one\n${ask}`)).text.endsWith('OK'), {
    what: 'the address to answer again',
    deadline_ms: 20_000,
  });
  const took_ms = Math.round(performance.now() - began);
  findings.heard(elsewhere.host.name, ask, 'OK');
  findings.check(
    'step 7: the address takes writes again',
    true,
    `after ${took_ms} ms, the commands' own time included`,
  );
  await until(() => ready(elsewhere), { what: 'the fallen one to be back', deadline_ms: 30_000, interval_ms: 500 });
  findings.heard(elsewhere.host.name, 'tanist status', (await elsewhere.run('tanist status')).text);
}

/** A leased master with its VIP, and two replicas that follow it. */
export async function ready(host: BootedHost): Promise<boolean> {
  const { text } = await host.run('tanist status');
  const follow = text.split('\n').filter((line) => / replica {2}replica /.test(line) && !line.includes('is down'));
  return / master {3}master .*10\.0\.0\.100/.test(text) && follow.length === 2;
}
