import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { until } from '../../../test/support/until.js';
import { type ProcessId, processId } from '../../net/process-id.js';
import { READY } from '../workers/messages.js';
import { greet } from './greet.js';
import { writeMessage } from './json-lines.js';
import { socketPath } from './places.js';

const cleanup = cleanupAfterEach();
const IDENTITY = { build: 'b', workers: 2, routes: [] };

/** Listens as the proxy of this very process. */
async function listening(taken: (socket: Socket) => void) {
  const directory = tempDir(cleanup);
  const id = processId(process.pid) as ProcessId;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    taken(socket);
  });
  await new Promise<void>((resolve) => server.listen(socketPath(directory, id), resolve));
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const ended: string[] = [];
  const events = { exited: (_: unknown, how: string) => ended.push(how), doubted: () => {}, logged: () => {} };
  return { sockets, ended, greeted: greet(directory, id, { events, deadline_ms: 300 }) };
}

describe('a proxy that is greeted', () => {
  it('says what it is', async () => {
    const { greeted, ended, sockets } = await listening((socket) =>
      writeMessage(socket, { id: READY, error: null, result: { identity: IDENTITY } }),
    );
    const { link, identity } = await greeted;
    expect(identity).toEqual(IDENTITY);
    expect(link.ready).toBe(true);
    sockets[0]?.destroy();
    await until(() => ended.length > 0, { what: 'the end to be told' });
    expect(ended).toEqual(['it speaks no more']);
  });

  it.each([
    ['says nothing', () => {}, 'did not answer within 300 ms'],
    [
      'does not say what it is',
      (socket: Socket) => writeMessage(socket, { id: READY, error: null, result: {} }),
      'it does not say what it is',
    ],
  ])('is let go of when it %s', async (_, taken, why) => {
    const { greeted, sockets } = await listening(taken);
    await expect(greeted).rejects.toThrow(why);
    await until(() => sockets[0]?.closed, { what: 'the connection to be closed' });
  });
});
