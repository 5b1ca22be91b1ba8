/** All properties that a run is checked for. */
import { Bounded } from './bounded.js';
import type { Checker } from './checker.js';
import { Convergence } from './convergence.js';
import { EpochsGrow } from './epochs-grow.js';
import { GrantOrVote } from './grant-or-vote.js';
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

export function newCheckers(): Checker[] {
  return [
    new OneVote(),
    new PersistedFirst(),
    new OneLeader(),
    new Majority(),
    new OneConfiguration(),
    new EpochsGrow(),
    new NotOwnReplica(),
    new NewestMasterKept(),
    new Bounded(),
    new Convergence(),
    new NoLostWrite(),
    new NoLostDurableWrite(),
    new OneLease(),
    new GrantOrVote(),
  ];
}
