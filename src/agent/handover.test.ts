import { describe, expect, it } from 'vitest';
import { ErrorReply, OK, type Reply } from '../redis/reply.js';
import { Conditions } from './conditions.js';
import { change, type HandoverHands, handOver } from './handover.js';

const order = { group: 'mymaster', to: { host: '10.0.0.2', port: 6379 }, force: false };

function scene(script: { consent?: boolean; reply?: Reply; epochAfter?: number }) {
  const told: string[] = [];
  const conditions = new Conditions();
  let epoch = 3;
  let underWay = false;
  const hands: HandoverHands = {
    consent: async () => script.consent ?? true,
    consentOver: () => told.push('consent over'),
    command: async (args) => {
      told.push(args.join(' '));
      underWay = true;
      setImmediate(() => {
        epoch = script.epochAfter ?? epoch;
        underWay = false;
        conditions.changed();
      });
      return script.reply ?? OK;
    },
    record: () => ({ epoch, master: { host: epoch === 4 ? '10.0.0.2' : '10.0.0.1', port: 6379 } }),
    underWay: () => underWay,
    whyGivenUp: () => 'b lags',
    now: () => 0,
    conditions,
  };
  return { hands, told };
}

describe('a planned change of master', () => {
  it('is done when the record has changed', async () => {
    const { hands, told } = scene({ epochAfter: 4 });
    const outcome = await handOver(hands, order);
    expect(outcome).toEqual({ ok: true, text: '10.0.0.2:6379 leads mymaster since epoch 4, after 0 ms' });
    expect(told).toEqual(['SENTINEL FAILOVER mymaster COORDINATED TO 10.0.0.2 6379', 'consent over']);
  });

  it('is not even begun without a majority', async () => {
    const { hands, told } = scene({ consent: false });
    expect(await handOver(hands, order)).toMatchObject({ ok: false, status: 409 });
    expect(told).toEqual(['consent over']);
  });

  it('tells why the Sentinel refuses, and when it gave up; the keeper leads on in both cases', async () => {
    const refused = scene({ reply: new ErrorReply('NOGOODSLAVE No suitable replica to promote: b lags') });
    expect(await handOver(refused.hands, order)).toMatchObject({
      ok: false,
      text: 'No suitable replica to promote: b lags',
    });
    // What was given up has an epoch of its own, and the same master.
    const abandoned = scene({ epochAfter: 5 });
    expect(await handOver(abandoned.hands, order)).toEqual({
      ok: false,
      status: 409,
      text: 'the switchover did not come about: b lags',
    });
    expect(abandoned.told.at(-1)).toBe('consent over');
  });

  it('that is forced without the agent of the master is only done when another leads', async () => {
    const forced = { ...order, force: true };
    const done = scene({ epochAfter: 4 });
    expect(await change(done.hands, forced)).toMatchObject({ ok: true });
    expect(done.told).toEqual(['SENTINEL FAILOVER mymaster FORCE TO 10.0.0.2 6379']);
    const abandoned = scene({ epochAfter: 5 });
    expect(await change(abandoned.hands, forced)).toEqual({
      ok: false,
      status: 409,
      text: 'the failover did not come about: b lags',
    });
  });
});
