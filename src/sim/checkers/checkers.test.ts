import { describe, expect, it } from 'vitest';
import { MASTER_CONF_DEFAULTS, type SentinelState } from '../../config/sentinel-types.js';
import type { Fact, GroupOutcome } from '../fact.js';
import { Bounded, EFFECTS_MAX, PENDING_MAX } from './bounded.js';
import type { Checker } from './checker.js';
import { Convergence } from './convergence.js';
import { EpochsGrow } from './epochs-grow.js';
import { GrantOrVote } from './grant-or-vote.js';
import { newCheckers } from './index.js';
import { Majority } from './majority.js';
import { NewestMasterKept } from './newest-master-kept.js';
import { NoLostDurableWrite } from './no-lost-durable-write.js';
import { NoLostWrite } from './no-lost-write.js';
import { NotOwnReplica } from './not-own-replica.js';
import { OneConfiguration } from './one-configuration.js';
import { OneLeader } from './one-leader.js';
import { OneLease } from './one-lease.js';
import { OneVote } from './one-vote.js';
import { PersistedFirst } from './persisted-first.js';

const voted = (sentinel: string, epoch: number, leader: string, at = 0): Fact => ({
  ...{ kind: 'voted', sentinel, group: 'g', epoch, leader, at },
});
const granted = (
  holder: string,
  at: number,
  until: number,
  more: { handOver?: boolean; epoch?: number } = {},
): Fact => ({
  ...{ kind: 'granted', sentinel: 's1', group: 'g', holder, epoch: 0, handOver: false, at, until, ...more },
});
const leased = (keeper: string, at: number, until: number, group = 'g'): Fact => ({
  ...{ kind: 'leased', keeper, group, at, until },
});
const told = (sentinel: string, epoch: number, leader: string): Fact => ({
  ...{ kind: 'vote-told', sentinel, group: 'g', epoch, leader },
});
const elected = (sentinel: string, epoch: number, voters = 3, quorum = 2): Fact => ({
  ...{ kind: 'elected', sentinel, group: 'g', epoch, voters, quorum, sentinels: voters },
});
const selecting = (sentinel: string, epoch: number, manual: 'no' | 'planned' = 'no'): Fact => ({
  ...{ kind: 'selecting', sentinel, group: 'g', epoch, manual },
});
const configuration = (sentinel: string, configEpoch: number, address: string, currentEpoch = configEpoch): Fact => ({
  ...{ kind: 'configuration', sentinel, group: 'g', configEpoch, currentEpoch, address },
});

function snapshot(epochs: { current?: number; config?: number; leader?: number }, port = 1): SentinelState {
  const { current = 0, config = 0, leader = 0 } = epochs;
  return {
    myId: 'a'.repeat(40),
    currentEpoch: current,
    announceIp: '',
    announcePort: 0,
    resolveHostnames: false,
    announceHostnames: false,
    denyScriptsReconfig: true,
    sentinelUser: '',
    sentinelPass: '',
    masters: [
      {
        ...MASTER_CONF_DEFAULTS,
        name: 'g',
        host: '10.0.0.1',
        port,
        quorum: 2,
        configEpoch: config,
        leaderEpoch: leader,
      },
    ],
  };
}

const persisted = (sentinel: string, ...of: Parameters<typeof snapshot>): Fact => ({
  ...{ kind: 'persisted', sentinel, snapshot: snapshot(...of) },
});

/** What a checker says of a history: the first fault, or null. */
function judge(checker: Checker, history: readonly Fact[]): string | null {
  for (const fact of history) {
    const wrong = checker.take(fact);
    if (wrong !== null) return wrong;
  }
  return null;
}

interface Case {
  readonly make: () => Checker;
  readonly good: readonly Fact[];
  readonly bad: readonly (readonly Fact[])[];
}

const GOOD_GROUP: GroupOutcome = {
  group: 'g',
  beliefs: ['s1', 's2'].map((sentinel) => ({
    sentinel,
    address: '10.0.0.1:1',
    configEpoch: 3,
    failingOver: false,
    peers: 1,
  })),
  redises: [
    { name: 'a', address: '10.0.0.1:1', role: 'master', follows: '', linkUp: false, known: true },
    { name: 'b', address: '10.0.0.1:2', role: 'replica', follows: '10.0.0.1:1', linkUp: true, known: true },
  ],
  held: new Set([1, 2]),
  leased: null,
  durable: false,
};

function ended(change: Partial<GroupOutcome> = {}, more: { converged?: boolean; lossAllowed?: boolean } = {}): Fact {
  return { kind: 'ended', converged: true, lossAllowed: false, groups: [{ ...GOOD_GROUP, ...change }], ...more };
}

const [firstBelief, secondBelief] = GOOD_GROUP.beliefs as [GroupOutcome['beliefs'][0], GroupOutcome['beliefs'][0]];
const [goodMaster, goodReplica] = GOOD_GROUP.redises as [GroupOutcome['redises'][0], GroupOutcome['redises'][0]];
const acknowledged = (write: number): Fact => ({ kind: 'acknowledged', group: 'g', write, by: 'a' });
const load = (change: Partial<Extract<Fact, { kind: 'load' }>>): Fact => ({
  ...{ kind: 'load', sentinel: 's1', effects: 10, conns: 4, links: 2, pending: 3, ...change },
});
const ordered = (address: string, follows: string): Fact => ({
  ...{ kind: 'ordered', redis: 'a', address, follows, by: '10.0.0.9' },
});

const CASES: Readonly<Record<string, Case>> = {
  OneVote: {
    make: () => new OneVote(),
    good: [voted('s1', 1, 's1'), told('s1', 1, 's1'), voted('s1', 2, 's2'), voted('s2', 1, 's2')],
    bad: [
      [voted('s1', 1, 's1'), voted('s1', 1, 's2')],
      [told('s1', 1, 's1'), { kind: 'started', sentinel: 's1', snapshot: snapshot({}) }, told('s1', 1, 's2')],
    ],
  },
  PersistedFirst: {
    make: () => new PersistedFirst(),
    good: [persisted('s1', { current: 2, config: 1, leader: 2 }), told('s1', 2, 's2'), configuration('s1', 1, 'x', 2)],
    bad: [
      [persisted('s1', { current: 2, leader: 1 }), told('s1', 2, 's2')],
      [persisted('s1', { current: 2, leader: 1 }), { kind: 'stood', sentinel: 's1', group: 'g', epoch: 2 }],
      [persisted('s1', { current: 2, config: 1 }), configuration('s1', 2, 'x', 2)],
      [persisted('s1', { current: 1, config: 1 }), configuration('s1', 1, 'x', 2)],
      // What another has on its disk does not help.
      [persisted('s2', { current: 2, leader: 2 }), told('s1', 2, 's2')],
    ],
  },
  OneLeader: {
    make: () => new OneLeader(),
    good: [
      elected('s1', 1),
      elected('s1', 1),
      { ...elected('s2', 1, 1, 1), sentinels: 2 } as Fact,
      elected('s2', 2),
      { ...elected('s2', 1), group: 'h' } as Fact,
    ],
    bad: [[elected('s1', 1), elected('s2', 1)]],
  },
  Majority: {
    make: () => new Majority(),
    good: [
      voted('s1', 1, 's1'),
      told('s2', 1, 's1'),
      elected('s1', 1),
      selecting('s1', 1),
      selecting('s2', 2, 'planned'),
    ],
    bad: [
      [voted('s1', 1, 's1'), elected('s1', 1)],
      [voted('s1', 1, 's1'), told('s2', 1, 's1'), elected('s1', 1, 4)],
      [voted('s1', 1, 's1'), told('s2', 1, 's1'), elected('s1', 1, 3, 3)],
      // Told twice is still one vote.
      [voted('s2', 1, 's1'), told('s2', 1, 's1'), elected('s1', 1)],
      [selecting('s1', 1)],
    ],
  },
  OneConfiguration: {
    make: () => new OneConfiguration(),
    good: [
      configuration('s1', 1, '10.0.0.1:1'),
      persisted('s2', { config: 1 }, 1),
      configuration('s1', 2, '10.0.0.1:2'),
      selecting('s1', 3, 'planned'),
      configuration('s1', 3, '10.0.0.1:1'),
      configuration('s2', 3, '10.0.0.1:2'),
    ],
    bad: [
      [configuration('s1', 1, '10.0.0.1:1'), configuration('s2', 1, '10.0.0.1:2')],
      [configuration('s1', 1, '10.0.0.1:1'), persisted('s2', { config: 1 }, 2)],
      // An operator's failover with a majority has no excuse.
      [
        elected('s1', 3),
        selecting('s1', 3, 'planned'),
        configuration('s1', 3, '10.0.0.1:1'),
        configuration('s2', 3, '10.0.0.1:2'),
      ],
    ],
  },
  EpochsGrow: {
    make: () => new EpochsGrow(),
    good: [persisted('s1', { current: 2, config: 1, leader: 2 }), configuration('s1', 1, 'x', 2), persisted('s2', {})],
    bad: [
      [persisted('s1', { current: 2 }), persisted('s1', { current: 1 })],
      [persisted('s1', { config: 2 }), persisted('s1', { config: 1 })],
      [persisted('s1', { leader: 2 }), { kind: 'started', sentinel: 's1', snapshot: snapshot({ leader: 1 }) }],
      [configuration('s1', 2, 'x'), configuration('s1', 1, 'x', 2)],
      [configuration('s1', 1, 'x', 2), configuration('s1', 1, 'x', 1)],
    ],
  },
  NotOwnReplica: {
    make: () => new NotOwnReplica(),
    good: [ordered('10.0.0.1:1', '10.0.0.1:2'), ordered('10.0.0.1:1', '')],
    bad: [[ordered('10.0.0.1:1', '10.0.0.1:1')]],
  },
  NewestMasterKept: {
    make: () => new NewestMasterKept(),
    good: [
      configuration('s1', 1, '10.0.0.1:1'),
      ordered('10.0.0.1:2', '10.0.0.1:1'),
      ordered('10.0.0.1:1', ''),
      configuration('s1', 2, '10.0.0.1:2'),
      ordered('10.0.0.1:1', '10.0.0.1:2'),
    ],
    bad: [[configuration('s1', 1, '10.0.0.1:1'), ordered('10.0.0.1:1', '10.0.0.1:2')]],
  },
  Bounded: {
    make: () => new Bounded(),
    good: [load({})],
    bad: [[load({ effects: EFFECTS_MAX + 1 })], [load({ conns: 5 })], [load({ pending: PENDING_MAX + 1 })]],
  },
  Convergence: {
    make: () => new Convergence(),
    good: [ended()],
    bad: [
      [ended({}, { converged: false })],
      [ended({ beliefs: [] })],
      [ended({ beliefs: [firstBelief, { ...secondBelief, address: '10.0.0.1:2' }] })],
      [ended({ beliefs: [firstBelief, { ...secondBelief, configEpoch: 2 }] })],
      [ended({ beliefs: [firstBelief, { ...secondBelief, failingOver: true }] })],
      [ended({ beliefs: [firstBelief, { ...secondBelief, peers: 0 }] })],
      [ended({ redises: [goodMaster, { ...goodReplica, role: 'master', follows: '' }] })],
      [ended({ redises: [{ ...goodMaster, role: 'replica', follows: '10.0.0.1:2' }, goodReplica] })],
      [ended({ redises: [goodMaster, { ...goodReplica, follows: '10.0.0.1:3' }] })],
      [ended({ redises: [goodMaster, { ...goodReplica, linkUp: false }] })],
      [ended({ leased: [] })],
      [ended({ leased: ['10.0.0.1:2'] })],
      [ended({ leased: ['10.0.0.1:1', '10.0.0.1:2'] })],
    ],
  },
  NoLostWrite: {
    make: () => new NoLostWrite(),
    good: [acknowledged(1), acknowledged(2), ended()],
    bad: [[acknowledged(1), acknowledged(3), ended()]],
  },
  NoLostDurableWrite: {
    make: () => new NoLostDurableWrite(),
    good: [
      acknowledged(1),
      acknowledged(2),
      acknowledged(3),
      ended({ held: new Set([1, 2, 3]), durable: true }),
      ended(),
    ],
    bad: [[acknowledged(1), acknowledged(3), ended({ durable: true }, { lossAllowed: true })]],
  },
  OneLease: {
    make: () => new OneLease(),
    good: [
      leased('a', 0, 100),
      leased('a', 50, 150),
      leased('b', 60, 200, 'h'),
      leased('b', 150, 250),
      leased('b', 160, 160),
      leased('a', 160, 260),
    ],
    bad: [[leased('a', 0, 100), leased('b', 99, 200)]],
  },
  GrantOrVote: {
    make: () => new GrantOrVote(),
    good: [
      granted('x', 0, 100),
      granted('x', 50, 150),
      voted('s1', 1, 's2', 150),
      granted('x', 4_000, 4_100),
      granted('x', 4_010, 4_010),
      granted('y', 4_010, 4_110, { handOver: true }),
      voted('s1', 2, 's2', 4_020),
      granted('z', 4_110, 4_210, { epoch: 2 }),
    ],
    bad: [
      [granted('x', 0, 100), voted('s1', 1, 's2', 99)],
      [granted('x', 0, 100), granted('y', 99, 200)],
      // A restart does not undo what a keeper counts on.
      [granted('x', 0, 100), { kind: 'started', sentinel: 's1', snapshot: snapshot({}) }, voted('s1', 1, 's2', 99)],
      [voted('s1', 1, 's2', 0), granted('x', 2_000, 2_100)],
    ],
  },
};

describe('the checkers', () => {
  for (const [name, { make, good, bad }] of Object.entries(CASES)) {
    it(`${name} lets a good history pass`, () => {
      expect(judge(make(), good)).toBeNull();
    });
    bad.forEach((history, index) => {
      it(`${name} sees bad history ${index + 1}`, () => {
        expect(judge(make(), history)).toMatch(/\w/);
      });
    });
  }

  it('are all tried here', () => {
    const names = newCheckers().map((checker) => checker.constructor.name);
    expect(names.sort()).toEqual(Object.keys(CASES).sort());
  });

  it('let writes be lost where the run allows it, and ghosts be', () => {
    expect(judge(new NoLostWrite(), [acknowledged(3), ended({}, { lossAllowed: true })])).toBeNull();
    const unknown = { ...goodReplica, follows: '10.0.0.1:3', known: false };
    expect(judge(new Convergence(), [ended({ redises: [goodMaster, unknown] })])).toBeNull();
  });
});
