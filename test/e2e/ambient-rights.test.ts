/** What a service's children may do: by capability, as the kernel sees it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { leaveOut } from '../support/needs.js';

const moduleUrl = new URL('../../dist/net/ambient-rights.js', import.meta.url).href;
const service = `
  import { execFileSync } from 'node:child_process';
  const { AmbientRights, CAP_NET_RAW } = await import(${JSON.stringify(moduleUrl)});
  const rights = new AmbientRights();
  const look = () => /^CapEff:\\s*(\\w+)$/m.exec(execFileSync('cat', ['/proc/self/status'], { encoding: 'utf8' }))[1];
  console.log([look(), rights.lend(look), rights.lend(look, [CAP_NET_RAW]), look()].map((set) => set.slice(-4)).join());
`;

it('rights are lent whole or in part, for the time of a start', (context) => {
  if (process.getuid?.() !== 0) leaveOut(context, 'becoming another user needs root');
  const rights = ['--inh-caps', '--ambient-caps', '--bounding-set'].flatMap((o) => [o, '-all,+net_raw,+net_admin']);
  const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--no-new-privs'];
  const args = [...user, ...rights, process.execPath, '--input-type=module', '-e', service];
  const { stdout, stderr } = spawnSync('setpriv', args, {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', moduleUrl)),
  });
  expect(stderr).toBe('');
  expect(stdout.trim()).toBe('0000,3000,2000,0000');
});
