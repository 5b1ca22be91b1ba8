import { expect, it } from 'vitest';
import { PubSub, type Subscriber } from './pubsub.js';

class Listener implements Subscriber {
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  readonly heard: string[] = [];

  deliver(channel: string, message: string, pattern: string | null): void {
    this.heard.push(`${pattern ?? ''}>${channel}>${message}`);
  }
}

it('delivers once for the channel and once for each pattern', () => {
  const pubsub = new PubSub<Listener>();
  const [one, two] = [new Listener(), new Listener()];
  pubsub.subscribe(one, 'channels', '+sdown');
  pubsub.subscribe(one, 'channels', '+sdown');
  pubsub.subscribe(one, 'patterns', '+s*');
  pubsub.subscribe(two, 'patterns', '*-*');
  expect(pubsub.publish('+sdown', 'm')).toBe(2);
  expect(pubsub.publish('+switch-master', 'n')).toBe(2);
  expect(one.heard).toEqual(['>+sdown>m', '+s*>+sdown>m', '+s*>+switch-master>n']);
  expect(two.heard).toEqual(['*-*>+switch-master>n']);
});

it('forgets who has gone, and channels that nobody wants', () => {
  const pubsub = new PubSub<Listener>();
  const [one, two] = [new Listener(), new Listener()];
  for (const each of [one, two]) pubsub.subscribe(each, 'channels', 'a');
  pubsub.subscribe(one, 'patterns', 'p*');
  expect([pubsub.count('channels'), pubsub.count('patterns')]).toEqual([1, 1]);
  pubsub.forget(one);
  expect([pubsub.count('channels'), pubsub.count('patterns')]).toEqual([1, 0]);
  expect(pubsub.publish('a', 'x')).toBe(1);
  pubsub.unsubscribe(two, 'channels', 'a');
  pubsub.unsubscribe(two, 'channels', 'a');
  expect(pubsub.count('channels')).toBe(0);
});

it('is not confused by subscribers that leave while they are told', () => {
  const pubsub = new PubSub<Listener>();
  class Leaving extends Listener {
    override deliver(channel: string, message: string, pattern: string | null): void {
      super.deliver(channel, message, pattern);
      pubsub.forget(this);
    }
  }
  const leaving = new Leaving();
  pubsub.subscribe(leaving, 'channels', 'a');
  pubsub.subscribe(leaving, 'patterns', '*');
  pubsub.publish('a', 'x');
  expect(leaving.heard).toEqual(['>a>x']);
});
