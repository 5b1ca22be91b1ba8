import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { clusterView, FakeControl, groupView } from '../../../test/support/fake-control.js';
import { until } from '../../../test/support/until.js';
import { type ApiOptions, ApiServer } from './server.js';

const cleanup = cleanupAfterEach();

async function start(options: Partial<ApiOptions> = {}) {
  const control = new FakeControl();
  const metrics = { contentType: 'text/plain', text: async () => '' };
  const server = new ApiServer({ control, metrics, token: null, log: { write: () => {} }, ...options });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  cleanup.add(() => server.close());
  const read = (path = '/events', lastId = '') => {
    const socket = connect(port, '127.0.0.1');
    cleanup.add(() => socket.destroy());
    const reader = { socket, got: '', closed: false };
    socket.setEncoding('utf8').on('data', (part: string) => {
      reader.got += part;
    });
    socket
      .on('error', () => {})
      .on('close', () => {
        reader.closed = true;
      });
    const id = lastId === '' ? '' : `Last-Event-ID: ${lastId}\r\n`;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${id}\r\n`);
    return reader;
  };
  return { control, server, port, read };
}

/** The events that a reader got, as `id what`. */
function events(got: string): string[] {
  return [...got.matchAll(/(?:id: (\S+)\n)?event: (\S+)\ndata: /g)].map((match) =>
    `${match[1] ?? ''} ${match[2]}`.trim(),
  );
}

describe('the event stream', () => {
  it('tells each event with its id, to all readers of its group', async () => {
    const { control, server, read } = await start();
    control.current = clusterView({ groups: [groupView(), groupView({ name: 'other' })] });
    const all = read();
    const one = read('/events?group=other');
    await until(() => server.eventReaders.now === 2, { what: 'two readers' });
    control.tell({ what: 'role' });
    control.tell({ what: 'vip', group: 'other', text: 'two\nlines' });
    await until(() => events(all.got).length === 2 && events(one.got).length === 1, { what: 'the events' });
    expect(events(all.got)).toEqual(['a-1 role', 'a-2 vip']);
    expect(events(one.got)).toEqual(['a-2 vip']);
    const data = /data: (.*)\n\n/.exec(one.got.slice(one.got.indexOf('event: vip')))?.[1] ?? '';
    expect(JSON.parse(data)).toMatchObject({ group: 'other', text: 'two\nlines' });
    expect(all.got).toContain('content-type: text/event-stream');
  });

  it('gives a reader that comes back what it missed', async () => {
    const { control, read } = await start();
    for (let n = 0; n < 5; n += 1) control.tell();
    const reader = read('/events', 'a-3');
    await until(() => events(reader.got).length === 2, { what: 'two events' });
    expect(events(reader.got)).toEqual(['a-4 role', 'a-5 role']);
  });

  it.each([
    ['of another host', 'b-3', ['gap']],
    ['of a future that was lost', 'a-99', ['gap']],
    ['that is none', 'x', ['gap']],
    ['older than what is kept', 'a-1', ['gap', 'a-3 role', 'a-4 role', 'a-5 role']],
  ])('tells of the gap after an id %s', async (_what, lastId, expected) => {
    const { control, read } = await start();
    for (let n = 0; n < 5; n += 1) control.tell();
    control.entries = control.entries.slice(2);
    const reader = read('/events', lastId);
    await until(() => events(reader.got).length === expected.length, { what: 'the replay' });
    expect(events(reader.got)).toEqual(expected);
  });

  it('keeps silent connections alive', async () => {
    const { read } = await start({ keepAlive_ms: 5 });
    const reader = read();
    await until(() => reader.got.includes(': still here\n\n'), { what: 'a comment' });
  });

  it('drops a reader that does not read, and no other', async () => {
    const limits = { readersMax: 4, backlogMax_bytes: 64 * 1024, replayMax: 10 };
    const { control, server, read } = await start({ eventLimits: limits });
    const slow = read();
    slow.socket.pause();
    const good = read();
    await until(() => server.eventReaders.now === 2, { what: 'two readers' });
    let told = 0;
    await until(
      () => {
        // The kernel takes some megabytes before anything waits here; the good reader keeps up with each step.
        if (events(good.got).length === told) {
          for (let n = 0; n < 20; n += 1) control.tell({ text: 'x'.repeat(1_000) });
          control.entries.length = 1;
          told += 20;
        }
        return server.eventReaders.dropped === 1;
      },
      { what: 'the slow reader to be dropped', deadline_ms: 30_000, interval_ms: 1 },
    );
    control.tell({ text: 'the last' });
    await until(() => good.got.includes('the last'), { what: 'the good reader to go on' });
    expect(server.eventReaders).toEqual({ now: 1, dropped: 1 });
  });

  it('takes only so many readers, and forgets those who leave', async () => {
    const limits = { readersMax: 2, backlogMax_bytes: 64 * 1024, replayMax: 10 };
    const { server, read } = await start({ eventLimits: limits });
    const first: { socket: Socket } = read();
    read();
    await until(() => server.eventReaders.now === 2, { what: 'two readers' });
    const third = read();
    await until(() => third.got.includes('"fix"'), { what: 'a refusal' });
    expect(third.got).toMatch(/^HTTP\/1\.1 503 /);
    first.socket.destroy();
    await until(() => server.eventReaders.now === 1, { what: 'the first to be forgotten' });
    const fourth = read();
    await until(() => fourth.got.startsWith('HTTP/1.1 200'), { what: 'its place to be given to another' });
  });

  it('ends its streams when the agent ends', async () => {
    const { server, read } = await start();
    const reader = read();
    await until(() => server.eventReaders.now === 1, { what: 'the reader' });
    await server.close();
    await until(() => reader.closed, { what: 'the end' });
  });
});
