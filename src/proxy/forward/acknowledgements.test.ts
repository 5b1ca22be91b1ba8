import { beforeEach, describe, expect, it } from 'vitest';
import { COMMANDS } from '../commands/table.js';
import { Acknowledgements } from './acknowledgements.js';
import { BufferPool } from './bytes.js';

function command(name: string): number {
  return COMMANDS.find(Buffer.from(name), 0, name.length);
}

let said: string[];
let acks: Acknowledgements;

beforeEach(() => {
  said = [];
  acks = new Acknowledgements(
    new BufferPool(),
    {
      deliver: (who, seq, bytes, start, end) => said.push(`${who}/${seq} ${bytes.toString('latin1', start, end)}`),
      refuse: (who, seq, message) => said.push(`${who}/${seq} refused: ${message}`),
    },
    250,
  );
});

function keep(who: number, seq: number, text: string, last = true): boolean {
  const bytes = Buffer.from(text);
  return acks.keep(who, seq, bytes, 0, bytes.length, last);
}

function answer(text: string): void {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i++) acks.answered(bytes, i, i + 1, i === bytes.length - 1);
}

describe('replies that wait for a replica', () => {
  it('are asked for once, behind writes, and not while a request is half sent', () => {
    expect(acks.request.toString()).toBe('*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$3\r\n250\r\n');
    acks.taken(command('get'));
    expect(acks.due).toBe(false);
    acks.taken(command('set'));
    acks.inParts = true;
    expect(acks.due).toBe(false);
    acks.inParts = false;
    expect(acks.due).toBe(true);
    acks.askedNow();
    acks.taken(command('set'));
    expect(acks.due).toBe(false);
    answer(':1\r\n');
    expect(acks.due).toBe(true);
  });

  it('go out in order and whole when a replica has the writes', () => {
    keep(1, 7, '+OK\r\n');
    keep(2, 0, '$3\r\na', false);
    keep(2, 0, 'bc\r\n');
    expect(said).toEqual([]);
    answer(':2\r\n');
    expect(said).toEqual(['1/7 +OK\r\n', '2/0 $3\r\nabc\r\n']);
  });

  it('are errors when none has them in time, but the errors of the master stand', () => {
    keep(1, 0, ':1\r\n');
    keep(1, 1, '-WRONGTYPE no\r\n');
    answer(':0\r\n');
    expect(said).toEqual([
      '1/0 refused: NOREPLICAS the write is on the master, but no replica had it within 250 ms',
      '1/1 -WRONGTYPE no\r\n',
    ]);
  });

  it('are errors when the server is no master any more, and when it is lost', () => {
    keep(1, 0, ':1\r\n');
    answer('-ERR WAIT cannot be used with replica instances.\r\n');
    expect(said[0]).toContain('refused: NOREPLICAS the write is on the master, but the server refused WAIT: ERR WAIT');
    keep(1, 1, ':1\r\n');
    keep(1, 2, '$5\r\nab', false);
    acks.lost('Connection reset by peer');
    expect(said).toHaveLength(2);
    expect(said[1]).toMatch(/^1\/1 refused: NOREPLICAS .* the connection was lost before a replica had it: Conn/);
    answer(':1\r\n');
    expect(said).toHaveLength(2);
  });

  it('are bounded', () => {
    const megabyte = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 16; i++) expect(keep(1, 0, megabyte, false)).toBe(true);
    expect(keep(1, 0, 'x', false)).toBe(false);
  });
});

it('only what changes data waits; what is not known may', () => {
  const durable = (name: string): boolean => COMMANDS.durable[command(name)] === 1;
  for (const name of ['set', 'mset', 'del', 'eval', 'exec', 'flushall', 'blpop', 'sort', 'xreadgroup', 'json.set']) {
    expect(durable(name), name).toBe(true);
  }
  for (const name of ['get', 'mget', 'exists', 'eval_ro', 'scan', 'dbsize', 'publish', 'xread', 'select', 'watch']) {
    expect(durable(name), name).toBe(false);
  }
});
