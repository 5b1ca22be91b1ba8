/** Our sentinel.conf and the real redis-sentinel: each must be able to go on with a file that the other wrote. */
import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConf, printConf } from '../../src/config/conf-lines.js';
import { NO_CHECKS, readSentinelConf } from '../../src/config/sentinel-conf.js';
import { rewriteSentinelConf } from '../../src/config/sentinel-rewrite.js';
import { MASTER_CONF_DEFAULTS, type SentinelState, STATE_DEFAULTS } from '../../src/config/sentinel-types.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import { SentinelProcess } from '../support/redis-sentinel.js';

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
      leaseTtl_ms: 1_000,
      ackReplicas: 1,
      paused: true,
      candidateLagMax_bytes: 1_000_000,
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

describe('with the real redis-sentinel', () => {
  const cleanup = cleanupAfterEach();
  let port = 0;
  let real: SentinelProcess;
  beforeEach(async (context) => {
    needs(context, 'redis-sentinel');
    port = await freePort();
    real = new SentinelProcess(port, { config: '' }, cleanup);
  });

  /** Runs it on this text until it answers. */
  async function start(text: string): Promise<void> {
    writeFileSync(real.configPath, text);
    await real.start();
  }

  it('starts on a file that we wrote, our own directives included', async () => {
    const ours = rewrite(`# mine\nport ${port}\nbind 127.0.0.1\n`, STATE);
    await start(ours);
    await real.child.stop();
    const theirs = real.config;
    expect(real.log).toContain(`Sentinel ID is ${ID}`);
    expect(theirs).toContain('# tanist: sentinel fast-down first.one yes\n');

    // What it wrote over ours says the same. It writes words with spaces without quotes, so we stop short of those.
    const unquoted = (text: string): string => text.replaceAll(/^sentinel auth-(user|pass) .*\n/gm, '');
    const withoutAuth = { ...STATE, masters: STATE.masters.map((m) => ({ ...m, authUser: '', authPass: '' })) };
    expect(stateOf(unquoted(theirs))).toEqual(withoutAuth);
    // And it goes on with its file after one of our rewrites.
    const again = rewrite(unquoted(theirs), STATE);
    await start(again);
    expect(real.log).toContain(`Sentinel ID is ${ID}`);
  });

  it('goes on after our rewrite of its own file, and the reverse', async () => {
    await start(`port ${port}\n# m\nsentinel monitor m 127.0.0.1 1 1\nsentinel down-after-milliseconds m 3600000\n`);
    await real.child.stop();
    const theirs = real.config;
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
    await start(rewrite(theirs, after));
    await real.child.stop();
    expect(stateOf(real.config)).toEqual(after);
    expect(real.config).toContain('# m\n');
  });

  it.each([
    ['port 1 ## comment', 'wrong number of arguments'],
    ['sentinel monitor h localhost 1 1', "Can't resolve instance hostname"],
    ['sentinel fast-down m yes', 'Unrecognized sentinel configuration statement'],
  ])('shows the differences that the documentation names: it refuses %j', async (line, message) => {
    const text = `port ${port}\nsentinel monitor m 127.0.0.1 1 1\n${line}\n`;
    await expect(start(text)).rejects.toThrow(message);
    expect(() => stateOf(text)).not.toThrow();
  });
});
