import { describe, expect, it } from 'vitest';
import { Prng } from '../../base/prng.js';
import { readServerInfo } from '../../redis/info.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import type { Context } from '../context.js';
import { Gate } from '../gate.js';
import { Loop } from '../loop.js';
import { End, Network } from '../network.js';
import { REDIS_DEFAULTS } from '../plan.js';
import { infoText } from './info-text.js';
import { RedisProcess } from './process.js';

class Client {
  readonly replies: Reply[] = [];

  constructor(private readonly end: End) {
    end.onMessage = (message) => {
      if (message.kind === 'reply') this.replies.push(message.reply);
    };
  }

  ask(...args: string[]): void {
    this.end.send({ kind: 'request', args });
  }
}

/** A master and its replica, in sync. */
class Lab {
  readonly loop = new Loop();
  readonly network = new Network(this.loop, new Prng(1));
  readonly context: Context = {
    loop: this.loop,
    network: this.network,
    prng: new Prng(2),
    fact: () => {},
    note: () => {},
  };
  readonly a = new RedisProcess(this.context, 'a', 'g', this.network.addHost(), 1, REDIS_DEFAULTS, null);
  readonly b: RedisProcess;

  constructor() {
    const { host, port } = this.a;
    this.b = new RedisProcess(this.context, 'b', 'g', this.network.addHost(), 1, REDIS_DEFAULTS, { ip: host.ip, port });
    this.a.start();
    this.b.start();
    this.pass(5_000);
  }

  pass(ms: number): void {
    this.loop.runUntil(this.loop.now + ms, () => false);
  }

  client(to: RedisProcess): Client {
    const from = { host: this.network.addHost(), gate: new Gate() };
    const made: Client[] = [];
    this.network.connect(from, { ip: to.host.ip, port: to.port }, 1_000, (result) => {
      if (result instanceof End) made.push(new Client(result));
    });
    this.pass(50);
    const [client] = made;
    if (client === undefined) throw new Error('not connected');
    return client;
  }
}

describe('the model of Redis', () => {
  it('replicates writes, and tells of it in INFO as the real parser reads it', () => {
    const lab = new Lab();
    const client = lab.client(lab.a);
    client.ask('SET', '1');
    lab.pass(1_100);
    expect(client.replies).toEqual([OK]);
    expect(lab.b.data.writes.map(({ id }) => id)).toEqual([1]);
    const master = readServerInfo(infoText(lab.a));
    const replica = readServerInfo(infoText(lab.b));
    expect(master).toMatchObject({ role: 'master', connectedReplicas: 1, failoverState: 'no-failover' });
    expect(master.replicas[0]).toMatchObject({ host: lab.b.host.ip, port: 1, state: 'online' });
    expect(replica).toMatchObject({
      role: 'replica',
      masterLinkUp: true,
      masterHost: lab.a.host.ip,
      replicaPriority: 100,
    });
    expect(replica.masterReplId).toBe(master.masterReplId);
  });

  it('goes on with a partial resync after a promotion, and loses what the old master had alone', () => {
    const lab = new Lab();
    lab.network.cut(lab.a.host, lab.b.host);
    const client = lab.client(lab.a);
    client.ask('SET', '1');
    lab.pass(100);
    lab.client(lab.b).ask('SLAVEOF', 'NO', 'ONE');
    lab.pass(100);
    lab.network.mend(lab.a.host, lab.b.host);
    lab.client(lab.a).ask('SLAVEOF', lab.b.host.ip, '1');
    lab.pass(5_000);
    expect(lab.a.role).toBe('replica');
    expect(lab.a.data.replid).toBe(lab.b.data.replid);
    expect(lab.a.data.writes).toEqual([]);
  });

  it('holds writes and PUBLISH back while paused, with all that follows on their connection', () => {
    const lab = new Lab();
    const operator = lab.client(lab.a);
    const sentinel = lab.client(lab.a);
    operator.ask('CLIENT', 'PAUSE', '1000', 'WRITE');
    lab.pass(50);
    sentinel.ask('PUBLISH', 'x', 'y');
    sentinel.ask('PING');
    operator.ask('PING');
    lab.pass(500);
    expect(sentinel.replies).toEqual([]);
    expect(operator.replies).toEqual([OK, 'PONG']);
    lab.pass(1_000);
    expect(sentinel.replies).toEqual([0, 'PONG']);
  });

  it('hands over by FAILOVER without losing a write', () => {
    const lab = new Lab();
    const operator = lab.client(lab.a);
    const writer = lab.client(lab.a);
    for (const id of ['1', '2', '3']) writer.ask('SET', id);
    operator.ask('FAILOVER', 'TO', lab.b.host.ip, '1', 'TIMEOUT', '1000');
    writer.ask('SET', '4');
    lab.pass(3_000);
    expect(lab.b.role).toBe('master');
    expect(lab.a.following?.ip).toBe(lab.b.host.ip);
    const acknowledged = writer.replies.filter((reply) => reply === OK).length;
    expect(lab.b.data.writes.length).toBe(acknowledged);
    expect(lab.a.data.writes).toEqual(lab.b.data.writes);
  });

  it('takes FAILOVER back after its time, and refuses it to a stranger', () => {
    const lab = new Lab();
    const operator = lab.client(lab.a);
    operator.ask('FAILOVER', 'TO', '10.0.0.99', '1', 'TIMEOUT', '1000');
    lab.pass(50);
    expect(operator.replies[0]).toBeInstanceOf(ErrorReply);
    lab.b.gate.close();
    const writer = lab.client(lab.a);
    writer.ask('SET', '1');
    operator.ask('FAILOVER', 'TO', lab.b.host.ip, '1', 'TIMEOUT', '1000');
    lab.pass(500);
    writer.ask('SET', '2');
    lab.pass(300);
    expect(writer.replies).toEqual([OK]);
    lab.pass(1_000);
    expect(writer.replies).toEqual([OK, OK]);
    expect(lab.a.role).toBe('master');
  });

  it('comes back as its configuration file says', () => {
    const lab = new Lab();
    const client = lab.client(lab.b);
    client.ask('SLAVEOF', 'NO', 'ONE');
    lab.pass(50);
    lab.b.crash(false);
    lab.b.start();
    expect(lab.b.role).toBe('replica');
    lab.pass(1_000);
    const again = lab.client(lab.b);
    for (const request of ['MULTI', 'SLAVEOF NO ONE', 'CONFIG REWRITE', 'EXEC']) again.ask(...request.split(' '));
    lab.pass(50);
    lab.b.crash(false);
    lab.b.start();
    expect(lab.b.role).toBe('master');
  });
});
