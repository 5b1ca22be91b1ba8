/** SLOWLOG: the slow requests of a pool. */
import type { Pool } from './forward/pool.js';
import type { SlowRequest } from './measure/slow-log.js';
import { bulk, REPLY_OK } from './redis-encode.js';
import { errorReply } from './redis-errors.js';

const COUNT_DEFAULT = 10;

/** The reply to SLOWLOG with these arguments. */
export function slowLogReply({ slowLog }: Pool, args: readonly string[]): Buffer {
  const [sub = '', count, ...rest] = args.map((arg) => arg.toLowerCase());
  if (rest.length > 0 || (count !== undefined && sub !== 'get')) return unknown(sub);
  switch (sub) {
    case 'get': {
      if (count !== undefined && !/^(-1|\d{1,9})$/.test(count)) {
        return errorReply('ERR count should be greater than or equal to -1');
      }
      const wanted = count === undefined ? COUNT_DEFAULT : Number(count);
      return array(slowLog.newest(wanted === -1 ? slowLog.length : wanted).map(entry));
    }
    case 'len':
      return integer(slowLog.length);
    case 'reset':
      slowLog.reset();
      return REPLY_OK;
    default:
      return unknown(sub);
  }
}

function unknown(sub: string): Buffer {
  return errorReply(`ERR unknown subcommand or wrong number of arguments for '${sub}': GET [count], LEN and RESET`);
}

/** As Redis 4 and later give it; the name is always empty. */
function entry({ id, at_s, took_us, words, client }: SlowRequest): Buffer {
  return array([integer(id), integer(at_s), integer(took_us), array(words.map(bulk)), bulk(client), bulk('')]);
}

function array(items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(`*${items.length}\r\n`), ...items]);
}

function integer(value: number): Buffer {
  return Buffer.from(`:${value}\r\n`);
}
