/** The runner against a scripted Redis: what leaves, in which order, and what does not. */
import { createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { freePort } from '../../../test/support/free-port.js';
import { until } from '../../../test/support/until.js';
import { Prng } from '../../base/prng.js';
import { MASTER_CONF_DEFAULTS, type SentinelState } from '../../config/sentinel-types.js';
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { RequestDecoder } from '../../redis/request-decoder.js';
import { SentinelRunner } from './runner.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const MY_ID = 'a'.repeat(40);

/** A Redis that answers PING and INFO, and keeps what it was asked. */
async function fakeRedis(): Promise<{ port: number; asked: string[][]; open: Set<Socket> }> {
  const asked: string[][] = [];
  const open = new Set<Socket>();
  const info = `role:master\r\nrun_id:${'c'.repeat(40)}\r\nconnected_slaves:0\r\nmaster_repl_offset:0\r\n`;
  const server = createServer((socket) => {
    open.add(socket);
    const decoder = new RequestDecoder();
    socket.on('error', () => undefined);
    socket.on('data', (chunk) =>
      decoder.feed(chunk, (args) => {
        asked.push(args);
        if (args[0] === 'PING') socket.write('+PONG\r\n');
        else if (args[0] === 'INFO') socket.write(`$${info.length}\r\n${info}\r\n`);
        else if (args[0] === 'SUBSCRIBE')
          socket.write(`*3\r\n$9\r\nsubscribe\r\n$${args[1]?.length}\r\n${args[1]}\r\n:1\r\n`);
        else if (args[0] === 'PUBLISH') socket.write(':1\r\n');
        else socket.write('+OK\r\n');
      }),
    );
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return { port, asked, open };
}

interface World {
  readonly runner: SentinelRunner;
  readonly saved: SentinelState[];
  readonly logs: string[];
  readonly published: string[];
  readonly happened: string[];
  disk: 'works' | 'is full';
}

function start(port: number): World {
  const happened: string[] = [];
  const world: Omit<World, 'runner'> = { saved: [], logs: [], published: [], happened, disk: 'works' };
  const runner = new SentinelRunner({
    snapshot: {
      myId: MY_ID,
      currentEpoch: 0,
      announceIp: '127.0.0.1',
      announcePort: 0,
      resolveHostnames: false,
      announceHostnames: false,
      denyScriptsReconfig: false,
      sentinelUser: '',
      sentinelPass: '',
      masters: [{ ...MASTER_CONF_DEFAULTS, name: 'm', host: '127.0.0.1', port, quorum: 1, downAfter_ms: 500 }],
    },
    start: { listenPort: 5, requirePass: '', names: new Map(), prng: new Prng(1) },
    connect: { tls: null, localAddress: '' },
    save: (snapshot) => {
      happened.push('save');
      if (world.disk === 'is full') throw new Error('no space left');
      world.saved.push(snapshot);
    },
    log: (_level, text) => world.logs.push(text),
    publish: (channel, message) => {
      happened.push(channel);
      world.published.push(`${channel} ${message}`);
    },
    runScript: () => undefined,
    setVerbosity: () => undefined,
    crash: () => undefined,
  });
  closers.push(() => runner.stop());
  return Object.assign(world, { runner });
}

function ask(runner: SentinelRunner, ...args: string[]): Reply {
  let reply: Reply = 'not answered';
  runner.command(args, (given) => {
    reply = given;
  });
  return reply;
}

const vote = (port: number) => ['SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '127.0.0.1', String(port), '3', 'f'.repeat(40)];

it('names itself, subscribes, pings and greets', async () => {
  const { port, asked } = await fakeRedis();
  start(port);
  const has = (...words: string[]) => asked.some((args) => words.every((word, index) => args[index] === word));
  const greeted = (): boolean => has('PUBLISH', '__sentinel__:hello') && has('INFO');
  await until(() => greeted() && has('SUBSCRIBE', '__sentinel__:hello'), { what: 'the greeting' });
  expect(has('CLIENT', 'SETNAME', 'sentinel-aaaaaaaa-cmd')).toBe(true);
  expect(has('CLIENT', 'SETNAME', 'sentinel-aaaaaaaa-pubsub')).toBe(true);
  expect(has('PING')).toBe(true);
  expect(asked.find(([name]) => name === 'PUBLISH')?.[2]).toBe(`127.0.0.1,5,${MY_ID},0,m,127.0.0.1,${port},0`);
});

it('finds a Redis that is gone down, and says so to the log and to subscribers', async () => {
  const { port, open } = await fakeRedis();
  const world = start(port);
  await until(() => world.runner.state.groups.get('m')?.master.info.text, { what: 'its INFO' });
  closers.shift()?.();
  for (const socket of open) socket.destroy();
  await until(() => world.published.includes(`+sdown master m 127.0.0.1 ${port}`), { what: '+sdown' });
  expect(world.logs).toContain(`+sdown master m 127.0.0.1 ${port}`);
});

it('writes a vote before it tells of it', async () => {
  const { port } = await fakeRedis();
  const world = start(port);
  expect(ask(world.runner, ...vote(port))).toEqual([0, 'f'.repeat(40), 3]);
  expect(world.happened).toEqual(['+monitor', 'save', '+new-epoch', '+vote-for-leader']);
  expect(world.saved.at(-1)?.masters[0]).toMatchObject({ leaderEpoch: 3 });
});

it('tells nobody of a vote that is not on disk, and sends nothing that relies on it', async () => {
  const { port, asked } = await fakeRedis();
  const world = start(port);
  await until(() => world.runner.state.groups.get('m')?.master.info.text, { what: 'its INFO' });
  world.disk = 'is full';
  const refused = ask(world.runner, ...vote(port));
  expect(refused).toBeInstanceOf(ErrorReply);
  expect(ask(world.runner, ...vote(port))).toEqual(refused);
  expect(world.logs.some((line) => line.startsWith('The state is not on disk: no space left'))).toBe(true);
  const from = asked.length;
  const pings = () => asked.slice(from).filter(([name]) => name === 'PING').length;
  // Two periods of PING, one of the greeting.
  await until(() => pings() > 20, { what: 'it to go on pinging' });
  expect(asked.slice(from).filter(([name]) => name === 'PUBLISH')).toEqual([]);
  expect(ask(world.runner, 'SENTINEL', 'MYID')).toBe(MY_ID);

  world.disk = 'works';
  await until(() => world.saved.at(-1)?.currentEpoch === 3, { what: 'the next try' });
  expect(ask(world.runner, ...vote(port))).toEqual([0, 'f'.repeat(40), 3]);
  await until(() => asked.slice(from).some(([name]) => name === 'PUBLISH'), { what: 'the greeting' });
});

it('writes discoveries together, a little later, and at once when asked to', async () => {
  const { port } = await fakeRedis();
  const world = start(port);
  ask(world.runner, ...vote(port));
  const writes = () => world.happened.filter((each) => each === 'save').length;
  const before = writes();
  const greet = (digit: string) =>
    ask(world.runner, 'PUBLISH', '__sentinel__:hello', `127.0.0.1,9,${digit.repeat(40)},3,m,127.0.0.1,${port},0`);
  for (const digit of ['1', '2', '3']) expect(greet(digit)).toBe(1);
  expect(writes()).toBe(before);
  await until(() => writes() > before, { what: 'the write' });
  expect(writes()).toBe(before + 1);
  expect(world.saved.at(-1)?.masters[0]?.sentinels.map(({ runId }) => runId)).toContain('3'.repeat(40));
  greet('4');
  expect(ask(world.runner, 'SENTINEL', 'FLUSHCONFIG')).toMatchObject({ text: 'OK' });
  expect(world.saved.at(-1)?.masters[0]?.sentinels.map(({ runId }) => runId)).toContain('4'.repeat(40));
});

it('acts on what another Sentinel has decided before it has written it, and passes it on afterwards', async () => {
  const { port, asked } = await fakeRedis();
  const other = await fakeRedis();
  const world = start(port);
  ask(world.runner, ...vote(port));
  await until(() => asked.some(([name]) => name === 'PUBLISH'), { what: 'the greeting' });
  const told = (at: number, epoch: number) => `127.0.0.1,9,${'1'.repeat(40)},3,m,127.0.0.1,${at},${epoch}`;
  ask(world.runner, 'PUBLISH', '__sentinel__:hello', told(port, 0));
  const from = world.happened.length;
  expect(ask(world.runner, 'PUBLISH', '__sentinel__:hello', told(other.port, 2))).toBe(1);
  expect(world.runner.state.groups.get('m')?.master.link.address.port).toBe(other.port);
  expect(world.happened.slice(from)).toContain('+switch-master');
  expect(world.happened.slice(from)).not.toContain('save');
  // The greeting of a Redis that has just been reached tells the new configuration.
  const greetings = () => other.asked.filter(([name]) => name === 'PUBLISH').map((args) => args[2]);
  await until(() => greetings().length > 0, { what: 'the new greeting' });
  expect(greetings()).toEqual([`127.0.0.1,5,${MY_ID},3,m,127.0.0.1,${other.port},2`]);
  expect(world.saved.at(-1)?.masters[0]).toMatchObject({ port: other.port, configEpoch: 2 });
});

it('is silent when it has stopped', async () => {
  const { port, open } = await fakeRedis();
  const world = start(port);
  await until(() => open.size === 2, { what: 'its connections' });
  world.runner.stop();
  expect(ask(world.runner, 'SENTINEL', 'MYID')).toBe('not answered');
  await until(() => [...open].every((socket) => socket.destroyed || socket.readableEnded), { what: 'their ends' });
});

it('looks a name up before a command that needs it, and refuses programs that are not there', async () => {
  const { port } = await fakeRedis();
  const world = start(port);
  expect(ask(world.runner, 'SENTINEL', 'SET', 'm', 'notification-script', '/no/such/program')).toEqual(
    new ErrorReply('ERR Notification script seems non existing or non executable'),
  );
  expect(ask(world.runner, 'SENTINEL', 'CONFIG', 'SET', 'resolve-hostnames', 'yes')).toMatchObject({ text: 'OK' });
  let reply: Reply = null;
  world.runner.command(['SENTINEL', 'MONITOR', 'n', 'localhost', String(port), '1'], (given) => {
    reply = given;
  });
  await until(() => reply, { what: 'the answer' });
  expect(reply).toMatchObject({ text: 'OK' });
  expect(world.runner.state.groups.get('n')?.master.link.address.ip).toMatch(/^(127\.0\.0\.1|::1)$/);
});
