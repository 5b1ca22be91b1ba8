/** Asking Sentinels for the lease, with servers that answer as the test says. */
import type { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { freePort } from '../../../test/support/free-port.js';
import { startRawServer } from '../../../test/support/raw-server.js';
import { until } from '../../../test/support/until.js';
import { encodeReply } from '../../redis/encoder.js';
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { RequestDecoder } from '../../redis/request-decoder.js';
import type { Input } from '../core/io.js';
import type { AskLease } from './lease-reply.pure.js';
import { LeaseVoters, type Voter } from './lease-voters.js';

const cleanup = cleanupAfterEach();
let inputs: Input[];

beforeEach(() => {
  inputs = [];
});

const granted = ['granted', 1, 'reason', '', 'epoch', 3, 'host', '10.0.0.1', 'port', 6379, 'paused', 0];
const record = { epoch: 3, master: { host: '10.0.0.1', port: 6379 } };

/** A Sentinel that answers every request with what `answer` gives; null for nothing. */
async function startVoter(answer: (args: readonly string[]) => Reply | undefined, port = 0) {
  const requests: string[][] = [];
  const server = await startRawServer(
    cleanup,
    (socket: Socket, received) => {
      const decoder = new RequestDecoder();
      received((text) =>
        decoder.feed(Buffer.from(text, 'latin1'), (args) => {
          requests.push(args);
          const reply = answer(args);
          if (reply !== undefined) socket.write(encodeReply(reply, 2));
        }),
      );
    },
    port,
  );
  return { server, requests, to: { host: '127.0.0.1', port: server.port } };
}

function open(...voters: Voter[]): LeaseVoters {
  const place = { host: '10.0.0.1', port: 6379 };
  const leases = new LeaseVoters({
    group: 'main',
    place,
    voters,
    deliver: (input) => inputs.push(input),
    log: () => {},
  });
  cleanup.add(() => leases.close());
  return leases;
}

function ask(voter: string, id: number, more: Partial<AskLease> = {}): AskLease {
  return {
    do: 'ask-lease',
    voter,
    ask: id,
    epoch: 3,
    ttl_ms: 500,
    handOver: false,
    held: null,
    term: 1,
    reason: '',
    ...more,
  };
}

const arrived = (count: number) => until(() => inputs.length >= count, { what: `${count} inputs` });

it('asks in the words of the protocol, and tells what was answered', async () => {
  const b = await startVoter(() => granted);
  const leases = open({ id: 'b', by: { link: { to: b.to, auth: null } } });
  leases.ask(ask('b', 1));
  leases.ask(ask('b', 2, { handOver: true }));
  leases.ask(ask('b', 3, { handOver: true, held: 9 }));
  await arrived(3);
  expect(inputs).toEqual([
    { on: 'lease', voter: 'b', ask: 1, granted: true, reason: '', record, leased_ms: 0, vote: null },
    { on: 'lease', voter: 'b', ask: 2, granted: true, reason: '', record, leased_ms: 0, vote: null },
    { on: 'lease', voter: 'b', ask: 3, granted: true, reason: '', record, leased_ms: 0, vote: null },
  ]);
  expect(b.requests).toEqual([
    ['SENTINEL', 'LEASE', 'main', '10.0.0.1', '6379', '3', '500', 'term', '1'],
    ['SENTINEL', 'LEASE', 'main', '10.0.0.1', '6379', '3', '500', 'handover', 'term', '1'],
    ['SENTINEL', 'LEASE', 'main', '10.0.0.1', '6379', '3', '500', 'handover', 'held', '9', 'term', '1'],
  ]);
});

it('gives the lease back with the reason, and expects no answer', async () => {
  const b = await startVoter(() => granted);
  const leases = open({ id: 'b', by: { link: { to: b.to, auth: null } } });
  leases.ask(ask('b', 1, { ttl_ms: 0, reason: 'redis ended: signal 9' }));
  await leases.released();
  expect(b.requests).toEqual([
    ['SENTINEL', 'LEASE', 'main', '10.0.0.1', '6379', '3', '0', 'redis ended: signal 9', '1'],
  ]);
  expect(inputs).toEqual([]);
});

it('logs in to a Sentinel that wants it', async () => {
  const b = await startVoter(([verb]) => (verb === 'AUTH' ? 'OK' : granted));
  const leases = open({ id: 'b', by: { link: { to: b.to, auth: { user: '', pass: 'word' } } } });
  leases.ask(ask('b', 1));
  await arrived(1);
  expect(b.requests[0]).toEqual(['AUTH', 'word']);
  expect(inputs).toMatchObject([{ on: 'lease', granted: true }]);
});

describe('what is no grant', () => {
  it('is a Sentinel that does not know the call, or says something odd', async () => {
    const [b, c] = [await startVoter(() => new ErrorReply('ERR Unknown')), await startVoter(() => ['granted', 1])];
    const leases = open(
      { id: 'b', by: { link: { to: b.to, auth: null } } },
      { id: 'c', by: { link: { to: c.to, auth: null } } },
    );
    leases.ask(ask('b', 1));
    leases.ask(ask('c', 2));
    await arrived(2);
    expect(inputs.every((input) => input.on === 'lease-failed')).toBe(true);
    expect(inputs).toContainEqual({ on: 'lease-failed', voter: 'b', ask: 1, why: 'ERR Unknown' });
  });

  it('is an answer that does not come within the ttl; the next connection is tried afresh', async () => {
    let silent = true;
    const b = await startVoter(() => (silent ? undefined : granted));
    const leases = open({ id: 'b', by: { link: { to: b.to, auth: null } } });
    leases.ask(ask('b', 1, { ttl_ms: 60 }));
    await arrived(1);
    expect(inputs[0]).toMatchObject({ on: 'lease-failed', why: expect.stringContaining('within 60 ms') });
    silent = false;
    const again = async (): Promise<boolean> => {
      leases.ask(ask('b', inputs.length + 1));
      const count = inputs.length + 1;
      await arrived(count);
      return inputs[count - 1]?.on === 'lease';
    };
    await until(again, { what: 'a grant' });
  });

  it('is told at once of a host that does not listen, and its link comes back', async () => {
    const port = await freePort();
    const leases = open({ id: 'b', by: { link: { to: { host: '127.0.0.1', port }, auth: null } } });
    leases.ask(ask('b', 1, { ttl_ms: 60_000 }));
    await arrived(1);
    expect(inputs[0]).toMatchObject({ on: 'lease-failed', why: expect.stringContaining('ECONNREFUSED') });
    await startVoter(() => granted, port);
    let id = 1;
    const isGranted = async (): Promise<boolean> => {
      id += 1;
      leases.ask(ask('b', id, { ttl_ms: 60_000 }));
      await arrived(id);
      return inputs[id - 1]?.on === 'lease';
    };
    await until(isGranted, { what: 'a grant' });
  });

  it('is the oldest of too many questions', async () => {
    const b = await startVoter(() => undefined);
    const leases = open({ id: 'b', by: { link: { to: b.to, auth: null } } });
    for (let id = 1; id <= 18; id++) leases.ask(ask('b', id, { ttl_ms: 60_000 }));
    expect(inputs).toEqual([
      { on: 'lease-failed', voter: 'b', ask: 1, why: 'too much is unanswered' },
      { on: 'lease-failed', voter: 'b', ask: 2, why: 'too much is unanswered' },
    ]);
  });

  it('is a voter that nobody knows', () => {
    open().ask(ask('x', 1));
    expect(inputs).toEqual([{ on: 'lease-failed', voter: 'x', ask: 1, why: 'x is no voter' }]);
  });
});

describe('the Sentinel of this process', () => {
  it('is called', async () => {
    const calls: (readonly string[])[] = [];
    const call = async (args: readonly string[]): Promise<Reply> => {
      calls.push(args);
      return granted;
    };
    const leases = open({ id: 'a', by: { ask: call } });
    leases.ask(ask('a', 1));
    await arrived(1);
    expect(inputs).toMatchObject([{ on: 'lease', voter: 'a', granted: true }]);
    expect(calls).toEqual([['SENTINEL', 'LEASE', 'main', '10.0.0.1', '6379', '3', '500', 'term', '1']]);
  });

  it('has a deadline too, and may fail', async () => {
    const leases = open(
      { id: 'a', by: { ask: () => new Promise(() => {}) } },
      { id: 'b', by: { ask: () => Promise.reject(new Error('stopped')) } },
    );
    leases.ask(ask('a', 1, { ttl_ms: 30 }));
    leases.ask(ask('b', 2, { ttl_ms: 30 }));
    await arrived(2);
    expect(inputs).toEqual([
      { on: 'lease-failed', voter: 'b', ask: 2, why: 'stopped' },
      { on: 'lease-failed', voter: 'a', ask: 1, why: 'no answer within 30 ms' },
    ]);
  });
});
