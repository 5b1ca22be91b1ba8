/** `bin/tanist status` and its siblings as a shell sees them: exit codes, pipes, colours. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ApiServer } from '../../src/agent/api/server.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { clusterView, FakeControl, groupView, masterView, memberView } from '../support/fake-control.js';
import { freePort } from '../support/free-port.js';
import { tanistPath } from '../support/tanist.js';

const cleanup = cleanupAfterEach();

async function agent() {
  const control = new FakeControl();
  const metrics = { contentType: 'text/plain', text: async () => '' };
  const server = new ApiServer({ control, metrics, token: null, log: { write: () => {} } });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  cleanup.add(() => server.close());
  return { control, url: `http://127.0.0.1:${port}` };
}

async function shell(line: string, env: Record<string, string> = {}) {
  const child = spawn('/bin/sh', ['-c', line], {
    env: { ...process.env, TANIST: tanistPath, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}

describe('the commands that ask an agent', () => {
  it('tell by their exit code what they found', async () => {
    const { control, url } = await agent();
    expect(await shell(`"$TANIST" status -u ${url}`)).toMatchObject({ code: 0, err: '' });
    control.current = clusterView({
      groups: [groupView({ members: [masterView({ state: 'failed' }), memberView()] })],
    });
    expect((await shell(`"$TANIST" status -u ${url}`)).code).toBe(5);
    expect((await shell(`"$TANIST" status -u http://127.0.0.1:${await freePort()}`)).code).toBe(4);
    expect((await shell(`"$TANIST" status -f /nowhere/tanist.yml`)).code).toBe(3);
    expect((await shell(`"$TANIST" status -o xml`)).code).toBe(2);
    expect((await shell(`"$TANIST" failover -u ${url}`)).code).toBe(2);
    control.outcome = { ok: false, status: 409, text: 'not now' };
    expect(await shell(`"$TANIST" switchover -u ${url}`)).toMatchObject({ code: 1, out: '' });
  });

  it('write no colours into a pipe, and end in silence when nobody reads it', async () => {
    const { control, url } = await agent();
    for (let n = 0; n < 900; n += 1) control.tell({ text: 'x'.repeat(900) });
    const { out } = await shell(`"$TANIST" status -u ${url} | cat`);
    expect(out).toMatch(/^Cluster tanist /);
    expect(out).not.toContain('\u001b');
    expect(await shell(`"$TANIST" history -n 900 -u ${url} | head -n 1 | wc -l`)).toMatchObject({
      out: '1\n',
      err: '',
    });
  });
});
