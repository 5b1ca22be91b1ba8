import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterView, groupView, masterView, memberView } from '../../../test/support/fake-control.js';
import type { MemberView } from '../view.js';
import { type HealthQuestion, judge } from './health.js';

const questions: readonly HealthQuestion[] = ['primary', 'replica', 'read-only', 'health', 'readiness', 'liveness'];

/** The statuses of a host whose Redis is like this, in the order of the questions. */
function statuses(member: MemberView, lagMax_bytes: number | null = null): number[] {
  const view = clusterView({ groups: [groupView({ members: [{ ...member, host: 'a' }] })] });
  return questions.map((question) => judge(view, question, null, lagMax_bytes).status);
}

describe('the health of a host', () => {
  it.each([
    ['a leased master', masterView(), [200, 503, 200, 200, 200, 200]],
    ['a master that is busy', masterView({ answers: false }), [200, 503, 200, 503, 200, 200]],
    ['a master whose lease has ended', masterView({ lease_ms: 0 }), [503, 503, 503, 200, 503, 200]],
    ['a master of a cluster without leases', masterView({ lease_ms: null }), [200, 503, 200, 200, 200, 200]],
    ['a fenced one', masterView({ state: 'fenced', lease_ms: null }), [503, 503, 503, 200, 503, 200]],
    ['a replica', memberView(), [503, 200, 200, 200, 200, 200]],
    ['a replica that does not answer', memberView({ answers: false }), [503, 503, 503, 503, 503, 200]],
    ['one in quarantine', memberView({ state: 'quarantined' }), [503, 503, 503, 200, 503, 200]],
    ['one that has ended', memberView({ state: 'failed', answers: false }), [503, 503, 503, 503, 503, 200]],
  ])('is told of %s', (_what, member, expected) => {
    expect(statuses(member)).toEqual(expected);
  });

  it('asks for a lag that is known, and small enough', () => {
    const of = (lag_bytes: number | null) => statuses(memberView({ lag_bytes }), 100)[1];
    expect([of(0), of(100), of(101), of(null)]).toEqual([200, 200, 503, 503]);
    // A master lags behind nobody.
    expect(statuses(masterView({ lag_bytes: null }), 100)[2]).toBe(200);
  });

  it('of a witness is to be alive and ready', () => {
    const view = clusterView({ host: 'w' });
    const answers = questions.map((question) => judge(view, question, null, null));
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 200, 200]);
    expect(answers[0]?.body).toMatchObject({ role: 'witness', why: 'host w does not keep a Redis' });
  });

  it('with several groups is that of the worst one', () => {
    const failed = memberView({ host: 'a', state: 'failed', answers: false, reason: 'redis ended' });
    const view = clusterView({ groups: [groupView(), groupView({ name: 'other', members: [failed] })] });
    expect(judge(view, 'readiness', null, null)).toMatchObject({
      status: 503,
      body: { group: null, why: 'group other: it is failed: redis ended' },
    });
    expect(judge(view, 'readiness', 'mymaster', null).status).toBe(200);
    expect(judge(view, 'liveness', null, null).status).toBe(200);
  });

  it('never calls one Redis a primary and a replica, and always says why', () => {
    const member = fc.record({
      state: fc.constantFrom(
        'starting',
        'quarantined',
        'replica',
        'fenced',
        'master',
        'failed',
        'stopped',
        'unreachable',
      ),
      role: fc.constantFrom('master', 'replica', 'unknown'),
      answers: fc.boolean(),
      lease_ms: fc.option(fc.nat(2_000)),
      lag_bytes: fc.option(fc.nat()),
    } as const);
    fc.assert(
      fc.property(member, fc.option(fc.nat()), (changes, lagMax_bytes) => {
        const own = masterView(changes);
        const [primary, replica, readOnly] = statuses(own, lagMax_bytes);
        expect([primary, replica]).not.toEqual([200, 200]);
        expect(readOnly).toBe(primary === 200 || replica === 200 ? 200 : 503);
        const view = clusterView({ groups: [groupView({ members: [own] })] });
        for (const question of questions) expect(judge(view, question, null, lagMax_bytes).body.why).not.toBe('');
      }),
    );
  });
});
