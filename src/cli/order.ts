/** Giving an order: ask first, show that it goes on, say what came of it. */
import type { ClusterView, GroupView } from '../agent/view.js';
import { placeName } from '../base/place.js';
import { type ClusterClient, type Order, RefusedError, UnreachableError } from './cluster-client.js';
import { clusterExitCodes, UsageError } from './cluster-options.js';
import { plain, type Terminal } from './terminal.js';

/** A change that takes longer is one to be nervous about. */
const PROGRESS_AFTER_MS = 2_000;
const PROGRESS_PERIOD_MS = 1_000;

export interface OrderPlan {
  readonly order: Order;
  /** What is asked before it is given; null: nothing is asked. */
  readonly question: string | null;
}

/** @returns the exit code: 1 when the answer was no. @throws {RefusedError | UnreachableError} */
export async function giveOrder(client: ClusterClient, plan: OrderPlan, terminal: Terminal): Promise<number> {
  if (plan.question !== null && terminal.canAsk && !(await terminal.ask(`${plan.question} [y/N] `))) {
    terminal.err('Nothing was done.\n');
    return clusterExitCodes.failure;
  }
  const stop = showProgress(client, plan.order, terminal);
  try {
    const text = await client.order(plan.order);
    terminal.out(`${plain(text)}\n`);
    return clusterExitCodes.ok;
  } finally {
    stop();
  }
}

/** After two seconds, one line each time that what goes on has changed. */
function showProgress(client: ClusterClient, order: Order, terminal: Terminal): () => void {
  const started = performance.now();
  let timer: NodeJS.Timeout;
  let last = '';
  let isOver = false;
  const look = async (): Promise<void> => {
    const now = await phaseOf(client, order);
    if (isOver) return;
    const elapsed_s = Math.round((performance.now() - started) / 1_000);
    if (now !== last) terminal.err(`${order.do}, ${elapsed_s} s: ${now}\n`);
    last = now;
    timer = setTimeout(look, PROGRESS_PERIOD_MS);
  };
  timer = setTimeout(look, PROGRESS_AFTER_MS);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

async function phaseOf(client: ClusterClient, { group }: Order): Promise<string> {
  try {
    const view = await client.cluster();
    const phases = view.groups
      .filter(({ name, failover }) => failover !== null && (group === null || name === group))
      .map(({ name, failover }) => plain(`${name}: ${failover}`));
    return phases.length === 0 ? 'waiting for the agent' : phases.join(', ');
  } catch (error) {
    if (error instanceof UnreachableError || error instanceof RefusedError) return error.message;
    throw error;
  }
}

/** The group that is meant. @throws {UsageError} when there is none of that name, or one must be named */
export function groupOf(view: ClusterView, wanted: string | null): GroupView {
  const names = view.groups.map(({ name }) => plain(name)).join(', ');
  const [only] = view.groups;
  if (wanted === null) {
    if (only !== undefined && view.groups.length === 1) return only;
    throw new UsageError('this cluster has several groups', `name one of: ${names}`);
  }
  const found = view.groups.find(({ name }) => name === wanted);
  if (found === undefined) throw new UsageError(`there is no group "${wanted}"`, `name one of: ${names}`);
  return found;
}

/** Checked here, so that a slip of the finger is found before anything is asked. @throws {UsageError} */
export function checkTarget(group: GroupView, to: string | null): void {
  if (to === null || group.members.some(({ host }) => host === to)) return;
  const names = group.members.map(({ host }) => plain(host)).join(', ');
  throw new UsageError(`"${to}" keeps no Redis of ${plain(group.name)}`, `name one of: ${names}`);
}

/** `a (10.0.0.1:6379)`, or the address alone when it is none of ours. */
export function leaderText(group: GroupView): string {
  const place = placeName(group.master);
  return plain(group.leader === null ? place : `${group.leader} (${place})`);
}
