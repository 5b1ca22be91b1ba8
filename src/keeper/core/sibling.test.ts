import { expect, it } from 'vitest';
import { siblingOf } from './sibling.js';

const place = { host: '10.0.0.2', port: 6379 };
const news = { alive: true, age_ms: 80 };
const first = 'a'.repeat(40);
const second = 'b'.repeat(40);

function info(lines: Record<string, string | number>): string {
  const all = {
    role: 'master',
    master_replid: first,
    master_replid2: '0'.repeat(40),
    master_repl_offset: 1200,
    second_repl_offset: -1,
    ...lines,
  };
  const text = Object.entries(all).map(([name, value]) => `${name}:${value}`);
  return `# Replication\r\n${text.join('\r\n')}\r\n`;
}

it('reads a master of one history, without keys', () => {
  expect(siblingOf(info({}), place, news)).toEqual({
    place,
    ...news,
    role: 'master',
    replId: first,
    replId2: '',
    secondOffset: -1,
    offset: 1200,
    keys: 0,
    linkUp: false,
    diskFails: false,
  });
});

it('reads whether it is linked to its master, and whether its disk fails it', () => {
  expect(siblingOf(info({ role: 'slave', master_link_status: 'up' }), place, news)).toMatchObject({ linkUp: true });
  expect(siblingOf(info({ role: 'slave', master_link_status: 'down' }), place, news)).toMatchObject({ linkUp: false });
  expect(siblingOf(info({ aof_last_write_status: 'err' }), place, news)).toMatchObject({ diskFails: true });
  expect(siblingOf(info({ rdb_last_bgsave_status: 'err' }), place, news)).toMatchObject({ diskFails: true });
  expect(siblingOf(info({ rdb_last_bgsave_status: 'ok' }), place, news)).toMatchObject({ diskFails: false });
});

it('reads the second history, and adds up the keys of all databases', () => {
  const text = info({
    role: 'slave',
    master_replid2: second,
    second_repl_offset: 900,
    db0: 'keys=3,expires=0,avg_ttl=0',
    db11: 'keys=40,expires=2,avg_ttl=0,subexpiry=0',
  });
  expect(siblingOf(text, place, news)).toMatchObject({
    role: 'replica',
    replId2: second,
    secondOffset: 900,
    keys: 43,
  });
});

it('concludes nothing from a Redis that loads, or a text without what is needed', () => {
  expect(siblingOf(info({ loading: 1 }), place, news)).toBeNull();
  expect(siblingOf('redis_version:7.0.15\r\n', place, news)).toBeNull();
  expect(siblingOf('', place, news)).toBeNull();
});
