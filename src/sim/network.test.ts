import { describe, expect, it } from 'vitest';
import { Prng } from '../base/prng.js';
import type { CloseReason } from '../sentinel/core/io.js';
import { Gate } from './gate.js';
import { Loop } from './loop.js';
import { End, type Host, type Listener, Network } from './network.js';

/** A server that keeps what it gets, and a client that has connected to it. */
function pair(seed = 1): {
  loop: Loop;
  network: Network;
  client: { host: Host; gate: Gate };
  server: Listener & { alive: boolean; end: End | null; got: number[] };
  connect: () => End | CloseReason | null;
} {
  const loop = new Loop();
  const network = new Network(loop, new Prng(seed));
  const client = { host: network.addHost(), gate: new Gate() };
  const server = {
    host: network.addHost(),
    port: 1,
    gate: new Gate(),
    alive: true,
    end: null as End | null,
    got: [] as number[],
    accept(end: End): void {
      server.end = end;
      end.onMessage = (message) => {
        if (message.kind === 'ack') server.got.push(message.offset);
      };
    },
  };
  network.listen(server);
  const connect = (): End | CloseReason | null => {
    let result: End | CloseReason | null = null;
    network.connect(client, { ip: server.host.ip, port: 1 }, 2_000, (given) => {
      result = given;
    });
    loop.runUntil(loop.now + 2_500, () => result !== null);
    return result;
  };
  return { loop, network, client, server, connect };
}

function connected(result: End | CloseReason | null): End {
  if (!(result instanceof End)) throw new Error(`not connected: ${result}`);
  return result;
}

const never = (): boolean => false;

describe('a simulated connection', () => {
  it('keeps the order, whatever the delays', () => {
    const { loop, network, server, connect } = pair();
    const end = connected(connect());
    network.manners.slow_ms = 300;
    network.manners.lostPerMille = 200;
    const sent = Array.from({ length: 100 }, (_, offset) => offset);
    for (const offset of sent) end.send({ kind: 'ack', offset });
    loop.runUntil(loop.now + 5_000, never);
    expect(server.got).toEqual(sent);
  });

  it('holds back what a cut stops, in one direction only, and delivers it in order after the cut', () => {
    const { loop, network, client, server, connect } = pair();
    const end = connected(connect());
    let answered = 0;
    end.onMessage = () => {
      answered += 1;
    };
    network.cut(client.host, server.host);
    for (const offset of [1, 2, 3]) end.send({ kind: 'ack', offset });
    server.end?.send({ kind: 'ack', offset: 9 });
    loop.runUntil(loop.now + 10_000, never);
    expect(server.got).toEqual([]);
    expect(answered).toBe(1);
    network.mend(client.host, server.host);
    end.send({ kind: 'ack', offset: 4 });
    loop.runUntil(loop.now + 5_000, never);
    expect(server.got).toEqual([1, 2, 3, 4]);
  });

  it('is refused by a living host without the process, and times out when the host is gone', () => {
    const { server, connect, network } = pair();
    server.alive = false;
    expect(connect()).toBe('refused');
    server.alive = true;
    server.host.up = false;
    expect(connect()).toBe('timeout');
    server.host.up = true;
    network.retransmit();
    expect(connect()).toBeInstanceOf(End);
  });

  it('is reset when the process dies, half-open when the host vanishes', () => {
    const first = pair();
    const end = connected(first.connect());
    const closed: CloseReason[] = [];
    end.onClose = (why) => closed.push(why);
    first.server.end?.reset();
    first.loop.runUntil(first.loop.now + 100, never);
    expect(closed).toEqual(['reset']);

    const second = pair();
    const other = connected(second.connect());
    other.onClose = (why) => closed.push(why);
    second.server.host.up = false;
    second.server.end?.vanish();
    other.send({ kind: 'ack', offset: 1 });
    second.loop.runUntil(second.loop.now + 10_000, never);
    expect(closed).toEqual(['reset']);
    second.server.host.up = true;
    second.network.retransmit();
    second.loop.runUntil(second.loop.now + 10_000, never);
    expect(closed).toEqual(['reset', 'reset']);
  });

  it('is taken by the kernel of a frozen process, which reads it later', () => {
    const { loop, server, connect } = pair();
    server.gate.close();
    const end = connected(connect());
    end.send({ kind: 'ack', offset: 1 });
    loop.runUntil(loop.now + 1_000, never);
    expect(server.got).toEqual([]);
    server.gate.open();
    expect(server.got).toEqual([1]);
  });
});
