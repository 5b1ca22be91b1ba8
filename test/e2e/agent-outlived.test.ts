/** Agents that end while clients are connected by the proxy of the very host: an application that knows one address. */
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isGone, readStat } from '../../src/net/proc.js';
import { AgentCluster, type AgentHost } from '../support/agent-cluster.js';
import type { Cleanup } from '../support/cleanup.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { tanistPath } from '../support/tanist.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();
const DEADLINE_MS = 240_000;
const SETTLED_MS = 60_000;
/** A busy machine must neither replace a master by itself, nor let a client wait for too long. */
const PATIENT = { yaml: 'lease: 3s', poolYaml: 'hold: {time: 1m}' };

/** Counts up by one request after the other on one connection, and notes whatever is not the next number. */
class Counter {
  readonly problems: string[] = [];
  #count = 0;
  #text = '';
  readonly #socket;
  readonly #key: string;

  constructor(host: AgentHost, cleanup: Cleanup) {
    this.#key = host.name;
    this.#socket = connect(host.cluster.ports.proxy, host.address);
    cleanup.add(() => this.#socket.destroy());
    this.#socket.setEncoding('latin1').on('data', (text: string) => this.#heard(text));
    this.#socket.on('error', (error) => this.problems.push(error.message));
    this.#socket.on('end', () => this.problems.push('the connection was closed'));
    this.#ask();
  }

  get count(): number {
    return this.#count;
  }

  #ask(): void {
    this.#socket.write(`*2\r\n$4\r\nINCR\r\n$1\r\n${this.#key}\r\n`);
  }

  #heard(text: string): void {
    this.#text += text;
    if (!this.#text.endsWith('\r\n')) return;
    if (this.#text === `:${this.#count + 1}\r\n`) this.#count++;
    else this.problems.push(`${this.#text.trim()} after ${this.#count}`);
    this.#text = '';
    if (this.problems.length === 0) this.#ask();
  }

  /** Waits until so many more have been counted. */
  async goesOn(by = 50): Promise<void> {
    const from = this.#count;
    await until(() => this.#count >= from + by || this.problems.length > 0, {
      what: 'the counter to go on',
      deadline_ms: 60_000,
    });
    expect(this.problems).toEqual([]);
  }
}

function started(cluster: AgentCluster): Promise<AgentHost> {
  for (const host of cluster.hosts) host.start();
  return cluster.settled(SETTLED_MS);
}

/** The agent is ready when it says so. */
async function startAgain(host: AgentHost): Promise<void> {
  await host.start().untilOutput(/Ready: /, { deadline_ms: 60_000 });
}

describe('a client of the proxy of a host', () => {
  it('notices neither kill -9 nor a restart of the agent there, which is the one of the master', {
    timeout: DEADLINE_MS,
  }, async (context) => {
    const { path } = needs(context, 'redis-server');
    const cluster = await AgentCluster.create(cleanup, { program: path, ...PATIENT });
    const leader = await started(cluster);
    const [pid] = leader.proxyPids();
    const counter = new Counter(leader, cleanup);
    await counter.goesOn();
    await leader.agent?.kill9();
    await counter.goesOn();
    await startAgain(leader);
    await counter.goesOn();
    await cluster.settled(SETTLED_MS);
    leader.agent?.kill('SIGTERM');
    expect(await leader.agent?.exited).toMatchObject({ code: 0 });
    await counter.goesOn();
    await startAgain(leader);
    await counter.goesOn();
    expect(leader.proxyPids()).toEqual([pid]);
    expect(leader.agent?.output).toContain(`the proxy goes on as it was, pid ${pid}`);
    await cluster.settled(SETTLED_MS);
  });

  it('goes where the master goes while the agent is away, and what is left is ended by an order', {
    timeout: DEADLINE_MS,
  }, async (context) => {
    const { path } = needs(context, 'redis-server');
    const cluster = await AgentCluster.create(cleanup, { program: path, ...PATIENT });
    const leader = await started(cluster);
    const [away, target] = cluster.hosts.filter((host) => host !== leader);
    if (away === undefined || target === undefined) throw new Error('there are three hosts');
    const counter = new Counter(away, cleanup);
    await counter.goesOn();
    await away.agent?.kill9();
    const order = async () => (await leader.api('/switchover', 'POST', { to: target.name })).status === 200;
    await until(order, { what: 'a switchover that is carried out', deadline_ms: 30_000, interval_ms: 200 });
    await until(async () => ((await target.redis('ROLE')) as unknown[])[0] === 'master', { what: 'the new master' });
    await counter.goesOn();
    const stop = (host: AgentHost, ...flags: string[]) =>
      spawnSync(process.execPath, [tanistPath, 'stop', cluster.file, '--host', host.name, ...flags], {
        encoding: 'utf8',
      });
    expect(stop(target)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('the agent runs: end it'),
    });
    const [proxy = 0] = away.proxyPids();
    const redis = away.redisPid();
    const { status, stdout } = stop(away, '--all');
    expect(stdout).toBe(`proxy: ended (pid ${proxy})\nredis mymaster: ended (pid ${redis})\n`);
    expect(status).toBe(0);
    for (const pid of [proxy, redis]) expect(isGone(readStat(pid))).toBe(true);
    expect(stop(away, '--all').stdout).toBe('proxy: none is left\nredis mymaster: none is left\n');
  });
});
