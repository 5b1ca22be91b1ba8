/** The server over real sockets, with a core that only says what it was asked. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../test/support/free-port.js';
import { until } from '../../../test/support/until.js';
import { Prng } from '../../base/prng.js';
import { AclUsers } from '../../redis/acl/acl-users.js';
import { RespDecoder } from '../../redis/decoder.js';
import { encodeRequest } from '../../redis/encoder.js';
import { ErrorReply, MapReply, PushReply, type Reply } from '../../redis/reply.js';
import { createSentinel } from '../core/restore.js';
import { sha256 } from '../daemon/load.js';
import { SentinelServer, type ServerOptions } from './server.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

let asked: string[][] = [];
let users: AclUsers;
let stopped = 0;
beforeEach(() => {
  asked = [];
  stopped = 0;
  users = new AclUsers({ hash: sha256, pubsubDefault: 'resetchannels' });
});

const SNAPSHOT = {
  myId: 'a'.repeat(40),
  currentEpoch: 0,
  announceIp: '',
  announcePort: 0,
  resolveHostnames: false,
  announceHostnames: false,
  denyScriptsReconfig: false,
  sentinelUser: '',
  sentinelPass: '',
  masters: [],
};

async function start(options: Partial<ServerOptions> = {}): Promise<{ server: SentinelServer; port: number }> {
  const port = await freePort();
  const server = new SentinelServer({
    listen: {
      port,
      bind: [{ host: '127.0.0.1', optional: false }],
      backlog: 10,
      tls: null,
      unixsocket: '',
      unixsocketperm: 0,
    },
    protectedMode: false,
    maxclients: 100,
    timeout_ms: 0,
    keepalive_ms: 0,
    users,
    aclFile: null,
    aclLogLength: 128,
    renamedCommands: new Map(),
    about: { version: '0.0.0', runId: 'b'.repeat(40), configFile: '/x/sentinel.conf', port, maxclients: 100 },
    scripts: {
      running: 1,
      length: 2,
      view: () => [{ argv: ['/n', 'x'], running: true, pid: 7, time_ms: 5, attempts: 1 }],
    },
    log: () => undefined,
    usersChanged: () => undefined,
    shutdown: () => {
      stopped += 1;
    },
    ...options,
  });
  await server.listen();
  const start = { listenPort: port, requirePass: '', names: new Map(), prng: new Prng(1), now: 0 };
  const { state } = createSentinel(SNAPSHOT, start);
  server.serve({
    state,
    command: (args, answer) => {
      asked.push([...args]);
      answer('from the core');
    },
  });
  closers.push(() => server.close());
  return { server, port };
}

/** A client that reads replies one by one. */
class Peer {
  readonly socket: Socket;
  readonly replies: Reply[] = [];
  closed = false;
  readonly #decoder = new RespDecoder();

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    closers.push(() => this.socket.destroy());
    this.socket.on('data', (chunk) => this.#decoder.feed(chunk, (reply) => this.replies.push(reply)));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  async next(): Promise<Reply> {
    await until(() => this.replies.length > 0 || this.closed, { what: 'a reply' });
    const [reply = 'closed'] = this.replies.splice(0, 1);
    return reply;
  }

  /** One request, one reply; an error reply as its text. */
  async ask(...args: string[]): Promise<Reply> {
    this.socket.write(encodeRequest(args));
    const reply = await this.next();
    return reply instanceof ErrorReply ? `-${reply.message}` : reply;
  }
}

async function client(options: Partial<ServerOptions> = {}): Promise<Peer> {
  return new Peer((await start(options)).port);
}

describe('who may come in', () => {
  it('asks for a password, and takes AUTH and HELLO for it', async () => {
    users.setRequirepass('secret');
    const { port } = await start();
    const one = new Peer(port);
    expect(await one.ask('PING')).toBe('-NOAUTH Authentication required.');
    expect(await one.ask('FOO')).toMatch(/^-ERR unknown command 'FOO'/);
    expect(await one.ask('AUTH', 'wrong')).toBe('-WRONGPASS invalid username-password pair or user is disabled.');
    expect(await one.ask('HELLO', '3')).toMatch(/^-NOAUTH HELLO must be called/);
    expect(await one.ask('AUTH', 'default', 'secret')).toBe('OK');
    expect(await one.ask('PING')).toBe('PONG');
    expect(await one.ask('RESET')).toBe('RESET');
    expect(await one.ask('PING')).toBe('-NOAUTH Authentication required.');

    const two = new Peer(port);
    const hello = await two.ask('HELLO', '3', 'AUTH', 'default', 'secret', 'SETNAME', 'app');
    expect(hello).toBeInstanceOf(MapReply);
    expect(new Map((hello as MapReply).entries).get('mode')).toBe('sentinel');
    expect(await two.ask('CLIENT', 'GETNAME')).toBe('app');
  });

  it.each([
    'POST / HTTP/1.1\r\nHost: a\r\n\r\nSENTINEL FLUSHCONFIG\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\nSENTINEL FLUSHCONFIG\r\n',
  ])('cuts off what a browser was made to send: %j', async (text) => {
    const logs: string[] = [];
    const peer = await client({ log: (_level, line) => logs.push(line) });
    peer.socket.write(text);
    await until(() => peer.closed, { what: 'the end' });
    expect(asked).toEqual([]);
    expect(logs.join()).toContain('Possible attack: 127.0.0.1:');
  });

  it('keeps requests short before a password', async () => {
    users.setRequirepass('secret');
    const peer = await client();
    peer.socket.write('*2\r\n$4\r\nAUTH\r\n$20000\r\n');
    expect(await peer.next()).toEqual(new ErrorReply('ERR Protocol error: unauthenticated bulk length'));
    await until(() => peer.closed, { what: 'the end' });
  });

  it('asks the user what he may, and keeps a log of what he may not', async () => {
    users.setUser('app', ['on', '>pw', '+ping', '+subscribe', '&+switch-master', '+acl|whoami']);
    const { port } = await start();
    const app = new Peer(port);
    expect(await app.ask('AUTH', 'app', 'pw')).toBe('OK');
    expect(await app.ask('ACL', 'WHOAMI')).toBe('app');
    expect(await app.ask('SENTINEL', 'MASTERS')).toBe(
      "-NOPERM this user has no permissions to run the 'sentinel|masters' command",
    );
    expect(await app.ask('SUBSCRIBE', '+sdown')).toMatch(/^-NOPERM .*channels/);
    expect(await app.ask('SUBSCRIBE', '+switch-master')).toEqual(['subscribe', '+switch-master', 1]);
    expect(asked).toEqual([]);
    const admin = new Peer(port);
    const log = (await admin.ask('ACL', 'LOG')) as string[][];
    expect(log.map((entry) => [entry[3], entry[7], entry[9]])).toEqual([
      ['channel', '+sdown', 'app'],
      ['command', 'sentinel|masters', 'app'],
    ]);
  });

  it('closes the clients of a deleted user', async () => {
    users.setUser('app', ['on', '>pw', '+@all']);
    const { port } = await start();
    const app = new Peer(port);
    expect(await app.ask('AUTH', 'app', 'pw')).toBe('OK');
    expect(await new Peer(port).ask('ACL', 'DELUSER', 'app')).toBe(1);
    await until(() => app.closed, { what: 'the end' });
  });

  it('says that no password is set', async () => {
    const peer = await client();
    expect(await peer.ask('AUTH', 'x')).toMatch(/^-ERR AUTH <password> called without any password configured/);
  });
});

describe('requests', () => {
  it('have the errors of Redis', async () => {
    const peer = await client();
    expect(await peer.ask('FOO', 'bar', 'baz')).toBe(
      "-ERR unknown command 'FOO', with args beginning with: 'bar' 'baz' ",
    );
    expect(await peer.ask('GET', 'x'.repeat(500))).toBe(
      `-ERR unknown command 'GET', with args beginning with: '${'x'.repeat(128)}' `,
    );
    expect(await peer.ask('CLIENT', 'FOO')).toBe("-ERR unknown subcommand 'FOO'. Try CLIENT HELP.");
    expect(await peer.ask('SENTINEL')).toBe("-ERR wrong number of arguments for 'sentinel' command");
    expect(await peer.ask('CLIENT', 'SETNAME')).toBe("-ERR wrong number of arguments for 'client|setname' command");
    expect(await peer.ask('PING', 'a', 'b')).toBe("-ERR wrong number of arguments for 'ping' command");
    expect(await peer.ask('CONFIG', 'GET', 'x')).toMatch(/^-ERR unknown command 'CONFIG'/);
  });

  it('that are for the core go there, as they came', async () => {
    const peer = await client();
    expect(await peer.ask('sentinel', 'MASTERS')).toBe('from the core');
    expect(await peer.ask('ROLE')).toBe('from the core');
    expect(await peer.ask('PUBLISH', '__sentinel__:hello', 'x')).toBe('from the core');
    expect(asked).toEqual([['sentinel', 'MASTERS'], ['ROLE'], ['PUBLISH', '__sentinel__:hello', 'x']]);
  });

  it('are answered in order, however many come at once', async () => {
    const peer = await client();
    const count = 20_000;
    peer.socket.write('PING\r\n'.repeat(count / 2));
    for (let n = 0; n < count / 2; n++) peer.socket.write(encodeRequest(['PING', String(n)]));
    await until(() => peer.replies.length === count, { what: 'all replies' });
    expect(peer.replies.slice(count / 2)).toEqual(Array.from({ length: count / 2 }, (_, n) => String(n)));
  });

  it('of a client that does not read are left alone until it does', async () => {
    const peer = await client();
    peer.socket.pause();
    const big = 'x'.repeat(10_000);
    const request = encodeRequest(['PING', big]);
    let sent = 0;
    // The client's own buffer fills when the server has stopped to read.
    await until(
      () => {
        for (let n = 0; n < 100 && peer.socket.writableLength < 1_000_000; n++, sent++) peer.socket.write(request);
        return peer.socket.writableLength >= 1_000_000;
      },
      { what: 'back pressure' },
    );
    peer.socket.resume();
    await until(() => peer.replies.length === sent, { what: 'all replies' });
  });

  it('under another name, or none', async () => {
    const peer = await client({
      renamedCommands: new Map([
        ['SENTINEL', 'S7'],
        ['SHUTDOWN', ''],
      ]),
    });
    expect(await peer.ask('SENTINEL', 'MYID')).toMatch(/^-ERR unknown command/);
    expect(await peer.ask('s7', 'MYID')).toBe('from the core');
    expect(asked).toEqual([['sentinel', 'MYID']]);
    expect(await peer.ask('SHUTDOWN')).toMatch(/^-ERR unknown command/);
    expect(stopped).toBe(0);
  });
});

describe('subscriptions', () => {
  it('under RESP2 allow little else, and are counted together', async () => {
    const { server, port } = await start();
    const peer = new Peer(port);
    expect(await peer.ask('SUBSCRIBE', '+sdown')).toEqual(['subscribe', '+sdown', 1]);
    expect(await peer.ask('PSUBSCRIBE', '+s*')).toEqual(['psubscribe', '+s*', 2]);
    expect(await peer.ask('PING')).toEqual(['pong', '']);
    expect(await peer.ask('ROLE')).toMatch(/^-ERR Can't execute 'role': only/);
    server.publish('+sdown', 'master m');
    expect(await peer.next()).toEqual(['message', '+sdown', 'master m']);
    expect(await peer.next()).toEqual(['pmessage', '+s*', '+sdown', 'master m']);
    expect(await peer.ask('UNSUBSCRIBE')).toEqual(['unsubscribe', '+sdown', 1]);
    expect(await peer.ask('PUNSUBSCRIBE')).toEqual(['punsubscribe', '+s*', 0]);
    expect(await peer.ask('UNSUBSCRIBE')).toEqual(['unsubscribe', null, 0]);
    expect(await peer.ask('ROLE')).toBe('from the core');
  });

  it('under RESP3 are pushed, and allow everything', async () => {
    const { server, port } = await start();
    const peer = new Peer(port);
    await peer.ask('HELLO', '3');
    expect(await peer.ask('SUBSCRIBE', '+sdown')).toEqual(new PushReply(['subscribe', '+sdown', 1]));
    server.publish('+sdown', 'master m');
    expect(await peer.next()).toEqual(new PushReply(['message', '+sdown', 'master m']));
    expect(await peer.ask('ROLE')).toBe('from the core');
  });

  it('end with the connection', async () => {
    const { server, port } = await start();
    const peer = new Peer(port);
    await peer.ask('SUBSCRIBE', '+sdown');
    peer.socket.destroy();
    const other = new Peer(port);
    await until(async () => String(await other.ask('INFO', 'stats')).includes('pubsub_channels:0'), {
      what: 'none left',
    });
    server.publish('+sdown', 'nobody hears');
  });
});

describe('CLIENT', () => {
  it('names, lists and kills', async () => {
    const { port } = await start();
    const [one, two] = [new Peer(port), new Peer(port)];
    expect(await one.ask('CLIENT', 'SETNAME', 'one')).toBe('OK');
    expect(await one.ask('CLIENT', 'SETNAME', 'o ne')).toMatch(/^-ERR Client names cannot contain spaces/);
    expect(await two.ask('CLIENT', 'ID')).toBe(2);
    expect(await two.ask('CLIENT', 'LIST')).toMatch(
      /^id=1 addr=127\.0\.0\.1:\d+ .* name=one .*\nid=2 .*cmd=client\|list /,
    );
    expect(await two.ask('CLIENT', 'LIST', 'ID', '2', '9')).toMatch(/^id=2 [^\n]*\n$/);
    expect(await two.ask('CLIENT', 'KILL', 'ID', '1', 'SKIPME', 'maybe')).toBe('-ERR syntax error');
    expect(await two.ask('CLIENT', 'KILL', 'ID', '1')).toBe(1);
    await until(() => one.closed, { what: 'the end' });
    expect(await two.ask('CLIENT', 'KILL', '127.0.0.1:1')).toBe('-ERR No such client');
    expect(await two.ask('CLIENT', 'KILL', 'TYPE', 'normal')).toBe(0);
    expect(await two.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no')).toBe(1);
    await until(() => two.closed, { what: 'the end' });
  });

  it('is silent when told', async () => {
    const peer = await client();
    peer.socket.write(encodeRequest(['CLIENT', 'REPLY', 'SKIP']));
    peer.socket.write(encodeRequest(['PING', 'unheard']));
    expect(await peer.ask('PING', 'heard')).toBe('heard');
    peer.socket.write(encodeRequest(['CLIENT', 'REPLY', 'OFF']));
    peer.socket.write(encodeRequest(['PING', 'unheard']));
    expect(await peer.ask('CLIENT', 'REPLY', 'ON')).toBe('OK');
  });

  it('is closed when idle for too long, unless subscribed', async () => {
    const { port } = await start({ timeout_ms: 1 });
    const [idle, subscribed] = [new Peer(port), new Peer(port)];
    await subscribed.ask('SUBSCRIBE', 'x');
    await until(() => idle.closed, { what: 'the end' });
    expect(subscribed.closed).toBe(false);
  });
});

describe('COMMAND, INFO and the rest', () => {
  it('tells of the commands of a Sentinel', async () => {
    const peer = await client();
    expect(await peer.ask('COMMAND', 'COUNT')).toBe(15);
    expect(await peer.ask('COMMAND', 'INFO', 'ping', 'get', 'client|id')).toEqual([
      ['ping', -1, ['fast'], 0, 0, 0, ['@fast', '@connection'], [], [], []],
      null,
      ['client|id', 2, ['noscript', 'loading', 'stale'], 0, 0, 0, ['@slow', '@connection'], [], [], []],
    ]);
    expect(await peer.ask('COMMAND', 'LIST', 'FILTERBY', 'PATTERN', 'client|no*')).toEqual(['client|no-evict']);
    expect(await peer.ask('COMMAND', 'DOCS', 'ping')).toEqual([
      'ping',
      ['summary', 'Whether anybody is there', 'since', '2.8.4', 'group', 'connection'],
    ]);
    expect(await peer.ask('COMMAND', 'GETKEYS', 'GET', 'a')).toBe('-ERR Invalid command specified');
  });

  it('tells INFO by section', async () => {
    const peer = await client();
    const all = String(await peer.ask('INFO'));
    expect([...all.matchAll(/^# (\w+)/gm)].map((match) => match[1])).toEqual([
      'Server',
      'Clients',
      'Stats',
      'CPU',
      'Sentinel',
    ]);
    expect(all).toContain('redis_mode:sentinel\r\n');
    expect(all).toContain('sentinel_running_scripts:1\r\nsentinel_scripts_queue_length:2\r\n');
    expect(await peer.ask('INFO', 'clients')).toMatch(/^# Clients\r\nconnected_clients:1\r\n/);
    expect(await peer.ask('INFO', 'keyspace')).toBe('');
  });

  it('shows pending scripts', async () => {
    const peer = await client();
    expect(await peer.ask('SENTINEL', 'PENDING-SCRIPTS')).toEqual([
      ['argv', ['/n', 'x'], 'flags', 'running', 'pid', '7', 'run-time', '5', 'retry-num', '1'],
    ]);
  });

  it('ends by QUIT and SHUTDOWN', async () => {
    const { port } = await start();
    const peer = new Peer(port);
    expect(await peer.ask('QUIT')).toBe('OK');
    await until(() => peer.closed, { what: 'the end' });
    new Peer(port).socket.write('SHUTDOWN NOW FORCE\r\n');
    await until(() => stopped === 1, { what: 'the call' });
  });

  it('turns away strangers in protected mode, but not those of this host', async () => {
    const peer = await client({ protectedMode: true });
    expect(await peer.ask('PING')).toBe('PONG');
  });
});
