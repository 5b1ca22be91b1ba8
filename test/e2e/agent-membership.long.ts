/** Hosts come and go, host by host as docs/operations.md says, while a client writes. */
import { expect, it } from 'vitest';
import { AgentCluster, type AgentHost } from '../support/agent-cluster.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

/** A plain client that writes all the time through whichever proxy answers, and knows what was acknowledged. */
class Writer {
  readonly acknowledged: string[] = [];
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(readonly cluster: AgentCluster) {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      for (const host of this.cluster.running()) {
        const reply = await host.proxy('SADD', 'written', i).catch(() => null);
        if (reply === null) continue;
        this.acknowledged.push(String(i));
        break;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function warnings(host: AgentHost): Promise<string> {
  return (await host.view()).warnings.join('\n');
}

it('three hosts become four, and another three, without a lost write', { timeout: 120_000 }, async (context) => {
  const { path } = needs(context, 'redis-server');
  const yaml = 'lease: 500ms';
  const cluster = await AgentCluster.create(cleanup, { program: path, yaml, redis: 4 });
  const [a, b, c, d] = cluster.hosts;
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('four hosts');
  const four = cluster.file;
  const three = cluster.writeFile('three.yml', [a, b, c], yaml);
  for (const host of [a, b, c]) {
    host.file = three;
    host.start();
  }
  await cluster.settled(40_000);
  const writer = new Writer(cluster);
  cleanup.add(() => writer.stop());

  d.start();
  const differs = 'the agent on a runs with another tanist.yml: other hosts, groups.';
  await until(async () => (await warnings(d)).includes(differs), {
    what: 'a warning of the different files',
    deadline_ms: 40_000,
  });
  const stranger = `a Sentinel votes at ${d.address}:${cluster.ports.sentinel} that this tanist.yml does not name`;
  await until(async () => (await warnings(a)).includes(stranger), {
    what: 'a warning of the new host',
    deadline_ms: 40_000,
  });
  for (const host of [c, b, a]) await host.restart(four);
  await cluster.settled(40_000);
  await until(async () => (await warnings(d)) === '', { what: 'no warning any more' });
  expect((await d.view()).groups[0]?.members).toHaveLength(4);

  await a.agent?.stop(20_000);
  await a.redis('SHUTDOWN', 'NOSAVE').catch(() => null);
  const end = cluster.writeFile('end.yml', [b, c, d], yaml);
  for (const host of [b, c, d]) await host.restart(end);
  const leader = await cluster.settled(40_000);
  expect((await leader.view()).voters.map(({ host }) => host)).toEqual(['b', 'c', 'd']);
  await writer.stop();
  const kept = new Set((await leader.redis('SMEMBERS', 'written')) as string[]);
  expect(writer.acknowledged.length).toBeGreaterThan(100);
  expect(writer.acknowledged.filter((each) => !kept.has(each))).toEqual([]);
});
