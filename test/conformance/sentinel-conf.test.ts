/** Our sentinel.conf and the real redis-sentinel: each must be able to go on with a file that the other wrote. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConf, printConf } from '../../src/config/conf-lines.js';
import { NO_CHECKS, readSentinelConf } from '../../src/config/sentinel-conf.js';
import { rewriteSentinelConf } from '../../src/config/sentinel-rewrite.js';
import { MASTER_CONF_DEFAULTS, type SentinelState, STATE_DEFAULTS } from '../../src/config/sentinel-types.js';
import { freePort, missingRedis, RealSentinel } from './real-sentinel.js';

if (missingRedis !== '') console.log(`skipped: the real redis-sentinel and our files: ${missingRedis}`);

const ID = '0123456789abcdef0123456789abcdef01234567';
const PEER = 'fedcba9876543210fedcba9876543210fedcba98';

const STATE: SentinelState = {
  ...STATE_DEFAULTS,
  myId: ID,
  currentEpoch: 7,
  announceIp: '127.0.0.1',
  announcePort: 777,
  denyScriptsReconfig: true,
  masters: [
    {
      ...MASTER_CONF_DEFAULTS,
      name: 'first.one',
      host: '127.0.0.1',
      port: 1,
      quorum: 2,
      downAfter_ms: 3_600_000,
      failoverTimeout_ms: 1234,
      parallelSyncs: 3,
      authUser: 'some user',
      authPass: 'a "quoted" \\ pass\tword é #',
      notificationScript: '/bin/true',
      clientReconfigScript: '/bin/true',
      masterRebootDownAfter_ms: 60_000,
      fastDown: true,
      renamedCommands: { CONFIG: 'CONFIG-2', SLAVEOF: 'X' },
      configEpoch: 6,
      leaderEpoch: 7,
      votedLeader: PEER,
      replicas: [
        { host: '127.0.0.1', port: 2 },
        { host: '::1', port: 3 },
      ],
      sentinels: [{ host: '127.0.0.1', port: 4, runId: PEER }],
    },
    { ...MASTER_CONF_DEFAULTS, name: 'second', host: '127.0.0.1', port: 9, quorum: 1, downAfter_ms: 3_600_000 },
  ],
};

function stateOf(text: string): SentinelState {
  const { sentinel } = readSentinelConf([parseConf(text, 's.conf')], NO_CHECKS);
  const byName = [...sentinel.masters].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...sentinel, masters: byName };
}

function rewrite(text: string, state: SentinelState): string {
  return printConf(rewriteSentinelConf(parseConf(text, 's.conf'), { state, settings: [], users: null }));
}

describe.skipIf(missingRedis !== '')('with the real redis-sentinel', () => {
  let real: RealSentinel;
  beforeEach(() => {
    real = new RealSentinel();
  });
  afterEach(() => real.remove());

  it('starts on a file that we wrote, our own directives included', async () => {
    const port = await freePort();
    const ours = rewrite(`# mine\nport ${port}\nbind 127.0.0.1\n`, STATE);
    await real.start(ours, port);
    await real.stop();
    const theirs = real.text;
    expect(real.output).toContain(`Sentinel ID is ${ID}`);
    expect(theirs).toContain('# tanist: sentinel fast-down first.one yes\n');

    // What it wrote over ours says the same. It writes words with spaces without quotes, so we stop short of those.
    const unquoted = (text: string): string => text.replaceAll(/^sentinel auth-(user|pass) .*\n/gm, '');
    const withoutAuth = { ...STATE, masters: STATE.masters.map((m) => ({ ...m, authUser: '', authPass: '' })) };
    expect(stateOf(unquoted(theirs))).toEqual(withoutAuth);
    // And it goes on with its file after one of our rewrites.
    const again = rewrite(unquoted(theirs), STATE);
    await real.start(again, port);
    expect(real.output).toContain(`Sentinel ID is ${ID}`);
  });

  it('goes on after our rewrite of its own file, and the reverse', async () => {
    const port = await freePort();
    await real.start(
      `port ${port}\n# m\nsentinel monitor m 127.0.0.1 1 1\nsentinel down-after-milliseconds m 3600000\n`,
      port,
    );
    await real.stop();
    const theirs = real.text;
    const before = stateOf(theirs);
    expect(before).toMatchObject({
      myId: expect.stringMatching(/^[0-9a-f]{40}$/),
      masters: [{ downAfter_ms: 3_600_000 }],
    });
    expect(rewrite(theirs, before)).toBe(theirs);

    const replicas = [{ host: '127.0.0.1', port: 1 }];
    const after = {
      ...before,
      currentEpoch: 3,
      masters: before.masters.map((m) => ({ ...m, port: 2, configEpoch: 3, replicas })),
    };
    await real.start(rewrite(theirs, after), port);
    await real.stop();
    expect(stateOf(real.text)).toEqual(after);
    expect(real.text).toContain('# m\n');
  });

  it.each([
    ['port 1 ## comment', 'wrong number of arguments'],
    ['sentinel monitor h localhost 1 1', "Can't resolve instance hostname"],
    ['sentinel fast-down m yes', 'Unrecognized sentinel configuration statement'],
  ])('shows the differences that the documentation names: it refuses %j', async (line, message) => {
    const port = await freePort();
    const text = `port ${port}\nsentinel monitor m 127.0.0.1 1 1\n${line}\n`;
    await expect(real.start(text, port)).rejects.toThrow(message);
    expect(() => stateOf(text)).not.toThrow();
  });
});
