/** SUBSCRIBE, PSUBSCRIBE and their opposites: each channel is answered by a push of its own. */
import { PushReply, type Reply } from '../../redis/reply.js';
import type { Client } from './client.js';
import type { ServerContext } from './context.js';
import type { SubscriptionKind } from './pubsub.js';

const VERBS = { channels: 'subscribe', patterns: 'psubscribe' } as const;
const OPPOSITES = { channels: 'unsubscribe', patterns: 'punsubscribe' } as const;

/** More subscriptions than a Sentinel has kinds of events are of no use to anybody. */
const SUBSCRIPTIONS_MAX = 10_000;

export function subscribe(
  { pubsub, log }: ServerContext,
  client: Client,
  kind: SubscriptionKind,
  names: readonly string[],
): void {
  if (client.subscriptions + names.length > SUBSCRIPTIONS_MAX) {
    log('warning', `Client id=${client.id} closed: more than ${SUBSCRIPTIONS_MAX} subscriptions`);
    client.destroy();
    return;
  }
  const replies = names.map((name) => {
    pubsub.subscribe(client, kind, name);
    return new PushReply([VERBS[kind], name, client.subscriptions]);
  });
  client.replyEach(replies);
}

/** @param names empty for all */
export function unsubscribe(
  { pubsub }: ServerContext,
  client: Client,
  kind: SubscriptionKind,
  names: readonly string[],
): void {
  const wanted = names.length > 0 ? names : [...client[kind]];
  const replies: Reply[] = wanted.map((name) => {
    pubsub.unsubscribe(client, kind, name);
    return new PushReply([OPPOSITES[kind], name, client.subscriptions]);
  });
  if (replies.length === 0) replies.push(new PushReply([OPPOSITES[kind], null, client.subscriptions]));
  client.replyEach(replies);
}
