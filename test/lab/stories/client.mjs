/**
 * A client as applications are: it knows one address, or the Sentinels to ask for one; it has one connection, one write
 * under way, and a deadline. Writes numbered keys until SIGTERM, then looks up every acknowledged one through the same
 * door, prints its books as JSON, and ends. Every 100 ms it prints `acknowledged <n>`.
 *
 *     node client.mjs '{"door": {"host": "10.99.0.100", "port": 6379}, "prefix": "vip"}'
 */
import { connect } from 'node:net';
import { Books } from './books.mjs';
import { encode, Failure, Replies } from './wire.mjs';

/**
 * @typedef {{ host: string, port: number }} Place
 * @typedef {Place & { password?: string }} PlainDoor
 * @typedef {{ sentinels: Place[], name: string }} SentinelDoor
 * @typedef {{ door: PlainDoor | SentinelDoor, prefix: string, period_ms: number, deadline_ms: number,
 *   connectDeadline_ms: number, lookUp_ms: number }} Options
 */

/** @type {Options} */
const options = {
  period_ms: 2,
  deadline_ms: 1000,
  connectDeadline_ms: 200,
  lookUp_ms: 20_000,
  ...JSON.parse(process.argv[2] ?? ''),
};
const BACKOFF_FIRST_MS = 10;
const BACKOFF_MAX_MS = 50;
const REPORT_EVERY_MS = 100;
const LOOK_UP_BATCH = 250;

const now = () => Number(process.hrtime.bigint()) / 1e6;
const books = new Books(now());

/** @typedef {import('./wire.mjs').Reply} Reply */

/** One connection: replies come in the order of the requests; `undefined` stands for one that will not come. */
class Connection {
  /** @type {((reply: Reply | undefined) => void)[]} */
  #waiting = [];
  #replies = new Replies();
  #socket;
  onOpen = () => {};
  onEnd = () => {};

  /** @param {Place} to */
  constructor(to) {
    this.#socket = connect({ ...to, noDelay: true });
    this.#socket.on('connect', () => this.onOpen());
    this.#socket.on('data', (bytes) => {
      for (const reply of this.#replies.push(bytes)) this.#waiting.shift()?.(reply);
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.end());
  }

  /** @param {readonly (string | number)[]} words @param {(reply: Reply | undefined) => void} then */
  send(words, then) {
    this.#waiting.push(then);
    this.#socket.write(encode(words));
  }

  /**
   * One question with a deadline; undefined when no answer came.
   * @param {readonly (string | number)[]} words
   * @param {number} deadline_ms
   * @returns {Promise<Reply | undefined>}
   */
  ask(words, deadline_ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), deadline_ms);
      this.send(words, (reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
    });
  }

  end() {
    const tell = this.onEnd;
    this.onEnd = () => {};
    this.#socket.destroy();
    for (const each of this.#waiting.splice(0)) each(undefined);
    tell();
  }
}

/** Resolves with an open connection, or with null at the deadline or when refused. @param {Place} to */
function opened(to) {
  return new Promise((/** @type {(connection: Connection | null) => void} */ resolve) => {
    const connection = new Connection(to);
    const timer = setTimeout(() => connection.end(), options.connectDeadline_ms);
    connection.onEnd = () => {
      clearTimeout(timer);
      resolve(null);
    };
    connection.onOpen = () => {
      clearTimeout(timer);
      connection.onEnd = () => {};
      resolve(connection);
    };
  });
}

/** Where to write: the one address, or what the first Sentinel that knows says. @returns {Promise<Place | null>} */
async function place() {
  const { door } = options;
  if (!('sentinels' in door)) return door;
  for (const sentinel of door.sentinels) {
    const connection = await opened(sentinel);
    const words = ['SENTINEL', 'get-master-addr-by-name', door.name];
    const reply = await connection?.ask(words, options.connectDeadline_ms);
    connection?.end();
    if (Array.isArray(reply)) return { host: `${reply[0]}`, port: Number(reply[1]) };
  }
  return null;
}

/** A connection that is ready for writes, or null. A Sentinel's client checks that it met a master, as its rules say. */
async function enter() {
  const to = await place();
  const connection = to === null ? null : await opened(to);
  if (connection === null) return null;
  const { door } = options;
  if ('sentinels' in door) {
    const role = await connection.ask(['ROLE'], options.deadline_ms);
    if (Array.isArray(role) && role[0] === 'master') return connection;
    connection.end();
    return null;
  }
  if (door.password === undefined) return connection;
  const allowed = await connection.ask(['AUTH', door.password], options.deadline_ms);
  if (allowed === 'OK') return connection;
  connection.end();
  return null;
}

/** @type {Connection | null} */
let line = null;
let entering = false;
let stopped = false;
/** When the write under way was sent; 0 when there is none. */
let sentAt = 0;
let notBefore = 0;
let backoff_ms = 0;

/** The first attempt comes at once, later ones a little after. */
function failed() {
  notBefore = now() + backoff_ms;
  backoff_ms = Math.min(BACKOFF_MAX_MS, Math.max(BACKOFF_FIRST_MS, backoff_ms * 2));
}

async function reconnect() {
  entering = true;
  const connection = await enter();
  entering = false;
  if (connection === null) {
    books.refused++;
    failed();
    return;
  }
  if (stopped) return connection.end();
  sentAt = 0;
  connection.onEnd = () => {
    if (line === connection) line = null;
    if (stopped) return;
    books.connectionsLost++;
    failed();
  };
  line = connection;
}

/** @param {Connection} connection */
function write(connection) {
  const number = books.next;
  sentAt = now();
  connection.send(['SET', `${options.prefix}:${number}`, number], (reply) => {
    if (reply === undefined) return;
    sentAt = 0;
    if (reply === 'OK') {
      backoff_ms = 0;
      books.acknowledge(now());
      return;
    }
    books.fail(reply instanceof Failure ? reply.message : 'unexpected');
    failed();
    // Who asked the Sentinels asks them again when the server does not take writes.
    if ('sentinels' in options.door) connection.end();
  });
}

function tick() {
  if (line !== null && sentAt !== 0) {
    if (now() - sentAt > options.deadline_ms) {
      books.late++;
      line.end();
    }
    return;
  }
  if (entering || now() < notBefore) return;
  if (line === null) void reconnect();
  else write(line);
}

/** Reads back every acknowledged write. @returns {Promise<{ lost: number[], unread: number }>} */
async function lookUp() {
  const until = now() + options.lookUp_ms;
  const lost = [];
  const count = books.next;
  let from = 0;
  /** @type {Connection | null} */
  let connection = null;
  while (from < count && now() < until) {
    connection ??= await enter();
    const numbers = Array.from({ length: Math.min(LOOK_UP_BATCH, count - from) }, (_, i) => from + i);
    const keys = numbers.map((number) => `${options.prefix}:${number}`);
    const reply = await connection?.ask(['MGET', ...keys], 2000);
    if (Array.isArray(reply) && reply.length === numbers.length && !reply.some((each) => each instanceof Failure)) {
      for (const [i, number] of numbers.entries()) if (reply[i] !== `${number}`) lost.push(number);
      from += numbers.length;
      continue;
    }
    connection?.end();
    connection = null;
    await new Promise((resolve) => setTimeout(resolve, BACKOFF_MAX_MS));
  }
  connection?.end();
  return { lost, unread: count - from };
}

const ticker = setInterval(tick, options.period_ms);
const reporter = setInterval(() => process.stdout.write(`acknowledged ${books.next}\n`), REPORT_EVERY_MS);

process.once('SIGTERM', async () => {
  stopped = true;
  const endedAt = now();
  clearInterval(ticker);
  clearInterval(reporter);
  line?.end();
  const { lost, unread } = await lookUp();
  const report = {
    endedAt,
    acknowledged: books.next,
    gaps: books.gapsUntil(endedAt),
    errors: books.errors,
    connectionsLost: books.connectionsLost,
    late: books.late,
    refused: books.refused,
    lost: lost.length,
    lostAt:
      lost.length === 0
        ? null
        : { from: books.acknowledgedAt[lost[0] ?? 0], to: books.acknowledgedAt[lost.at(-1) ?? 0] },
    unread,
  };
  process.stdout.write(`books ${JSON.stringify(report)}\n`, () => process.exit(0));
});
