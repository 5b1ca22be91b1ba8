import { expect, it } from 'vitest';
import { LinkError } from '../redis/link-error.js';
import { ErrorReply, type Reply } from '../redis/reply.js';
import { FileWatch } from './file-watch.js';
import { NoAnswer } from './peers.js';

const OWN = { version: '0.1.0', voters: ['a', 'b', 'c'], digests: { lease: '1' } };
const OTHER = JSON.stringify({ ...OWN, digests: { lease: '2' } });
const DOWN = new NoAnswer('b', new LinkError('ERR_LINK_REFUSED', 'refused', false));

function watch() {
  const asked: string[] = [];
  const logs: string[] = [];
  const connections = new Map([
    ['b', 1],
    ['c', 1],
  ]);
  const says = new Map<string, Reply>();
  const scene = { fails: false };
  const files = new FileWatch({
    own: OWN,
    peers: {
      hosts: ['b', 'c'],
      connection: (host) => connections.get(host) ?? 0,
      ask: async (host) => {
        asked.push(host);
        if (scene.fails) throw new Error('a fault');
        return says.get(host) ?? JSON.stringify(OWN);
      },
    },
    log: (_level, text) => logs.push(text),
  });
  const look = async () => {
    asked.length = 0;
    await files.look();
    return asked.join('');
  };
  return { files, look, logs, says, connections, scene };
}

it('asks once a connection', async () => {
  const { look, connections } = watch();
  expect(await look()).toBe('bc');
  expect(await look()).toBe('');
  connections.set('c', 2);
  expect(await look()).toBe('c');
  expect(await look()).toBe('');
});

it('asks whoever has not answered again, and knows meanwhile what was said last', async () => {
  const { files, look, says, connections, logs } = watch();
  says.set('b', OTHER);
  await look();
  expect(files.warnings).toEqual([expect.stringContaining('the agent on b runs with another tanist.yml: other lease')]);
  says.set('b', DOWN);
  connections.set('b', 2);
  expect(await look()).toBe('b');
  expect(await look()).toBe('b');
  expect(files.warnings).toHaveLength(1);
  says.delete('b');
  await look();
  expect(files.warnings).toEqual([]);
  expect(logs).toEqual([expect.stringContaining('the agent on b'), expect.stringContaining('no more of this: ')]);
});

it('asks an older agent once, too, which does not know the question', async () => {
  const { files, look, says } = watch();
  says.set('b', new ErrorReply("ERR unknown subcommand 'AGENT'"));
  await look();
  expect(await look()).toBe('');
  expect(files.warnings).toEqual([]);
});

it('goes on after a fault', async () => {
  const { look, scene } = watch();
  scene.fails = true;
  await expect(look()).rejects.toThrow('a fault');
  scene.fails = false;
  expect(await look()).toBe('bc');
});

it('asks nobody twice at a time', async () => {
  const { files, look } = watch();
  const first = files.look();
  expect(await look()).toBe('');
  await first;
});
