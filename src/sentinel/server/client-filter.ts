/** The filters of CLIENT KILL and CLIENT LIST. */
import { ErrorReply } from '../../redis/reply.js';
import type { Client } from './client.js';

export interface ClientFilter {
  readonly matches: (client: Client) => boolean;
  /** Leave out the client that asks. */
  readonly skipMe: boolean;
  /** The user that was named, to be checked for existence. */
  readonly user: string | null;
}

const SYNTAX = new ErrorReply('ERR syntax error');

/** @param words pairs: ID, ADDR, LADDR, TYPE, USER, SKIPME with a value each; a client must match all */
export function clientFilter(words: readonly string[]): ClientFilter | ErrorReply {
  if (words.length === 0 || words.length % 2 !== 0) return SYNTAX;
  const tests: ((client: Client) => boolean)[] = [];
  let skipMe = true;
  let user: string | null = null;
  for (let at = 0; at < words.length; at += 2) {
    const [name = '', value = ''] = words.slice(at, at + 2);
    if (name.toUpperCase() === 'SKIPME') {
      if (!/^(yes|no)$/i.test(value)) return SYNTAX;
      skipMe = value.toLowerCase() === 'yes';
      continue;
    }
    if (name.toUpperCase() === 'USER') user = value;
    const test = testFor(name.toUpperCase(), value);
    if (test instanceof ErrorReply) return test;
    tests.push(test);
  }
  return { matches: (client) => tests.every((test) => test(client)), skipMe, user };
}

function testFor(name: string, value: string): ((client: Client) => boolean) | ErrorReply {
  switch (name) {
    case 'ID':
      if (!/^[1-9]\d{0,14}$/.test(value)) return new ErrorReply('ERR client-id should be greater than 0');
      return (client) => client.id === Number(value);
    case 'ADDR':
      return (client) => client.address === value;
    case 'LADDR':
      return (client) => client.localAddress === value;
    case 'USER':
      return (client) => client.authenticated && client.user === value;
    case 'TYPE':
      return typeTest(value);
    default:
      return SYNTAX;
  }
}

function typeTest(value: string): ((client: Client) => boolean) | ErrorReply {
  switch (value.toLowerCase()) {
    case 'normal':
      return (client) => client.subscriptions === 0;
    case 'pubsub':
      return (client) => client.subscriptions > 0;
    case 'master':
    case 'replica':
    case 'slave':
      return () => false;
    default:
      return new ErrorReply(`ERR Unknown client type '${value.slice(0, 128)}'`);
  }
}
