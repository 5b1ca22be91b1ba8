/** What a keeper asks of Sentinels, and what ours and redis-sentinel answer. */
import { expect, it } from 'vitest';
import type { Input } from '../../src/keeper/core/io.js';
import type { AskLease } from '../../src/keeper/run/lease-reply.pure.js';
import { LeaseVoters } from '../../src/keeper/run/lease-voters.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { MASTER_NAME } from '../support/failover-scene.js';
import { needs } from '../support/needs.js';
import type { Peer } from '../support/peers.js';
import { startSentinel } from '../support/redis-sentinel.js';
import { startRedis } from '../support/redis-server.js';
import { tanistSentinel } from '../support/tanist.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();
const TTL_ms = 300;

/** A master, a Sentinel that watches it, and somebody who asks that one for the lease. */
async function startScene(program: Peer) {
  const master = await startRedis(cleanup);
  const config = [
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 1`,
    `# tanist: sentinel lease-ttl ${MASTER_NAME} ${TTL_ms}`,
  ];
  const sentinel = await startSentinel(cleanup, { program, config: config.join('\n') });
  const inputs: Input[] = [];
  const place = { host: '127.0.0.1', port: master.port };
  const voters = new LeaseVoters({
    group: MASTER_NAME,
    place,
    voters: [{ id: 'a', by: { link: { to: { host: '127.0.0.1', port: sentinel.port }, auth: null } } }],
    deliver: (input) => inputs.push(input),
    log: () => {},
  });
  cleanup.add(() => voters.close());
  let asked = 0;
  const ask = async (more: Partial<AskLease> = {}): Promise<Input | undefined> => {
    asked += 1;
    const count = inputs.length;
    const question = {
      voter: 'a',
      ask: asked,
      epoch: 0,
      ttl_ms: TTL_ms,
      handOver: false,
      held: null,
      term: 1,
      reason: '',
      ...more,
    };
    voters.ask({ do: 'ask-lease', ...question });
    if (question.ttl_ms > 0) await until(() => inputs.length > count, { what: 'an answer', interval_ms: 1 });
    return inputs[count];
  };
  return { master, sentinel, voters, ask, record: { epoch: 0, master: place } };
}

it('is granted by our Sentinel once it has been up for a ttl, refused for a wrong epoch, and given back', async () => {
  const { voters, ask, record } = await startScene(tanistSentinel);
  const granted = await until(
    async () => {
      const answer = await ask();
      return answer?.on === 'lease' && answer.granted ? answer : null;
    },
    { what: 'the lease' },
  );
  expect(granted).toMatchObject({ on: 'lease', voter: 'a', record });
  expect(await ask({ handOver: true })).toMatchObject({ on: 'lease', granted: true });
  expect(await ask({ epoch: 7 })).toMatchObject({ on: 'lease', granted: false, reason: /./, record });
  await ask({ ttl_ms: 0, reason: 'redis ended: signal 9' });
  await voters.released();
});

it('is not granted by redis-sentinel, which does not know it', async (context) => {
  const { ask } = await startScene(needs(context, 'redis-sentinel'));
  expect(await ask()).toMatchObject({ on: 'lease-failed', why: expect.stringMatching(/^ERR /) });
});
