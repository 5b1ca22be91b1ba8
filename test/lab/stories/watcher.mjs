/**
 * Looks at every host, every few milliseconds and from inside: does it hold a VIP, and does its Redis take a write? The
 * write is a DEL of a key that is never there: refused by a replica, by min-replicas and on a full disk, held up by a
 * pause, and without an effect when it goes through. Redis is reached by its Unix socket, so no cable or firewall matters.
 *
 * Until SIGTERM; then it prints what it saw as JSON.
 *
 *     node watcher.mjs '{"every_ms": 5, "hosts": [{"name": "a", "pid": 123, "vips": ["10.99.0.100"], "redis": [...]}]}'
 */
import { openSync, readSync } from 'node:fs';
import { connect } from 'node:net';
import { overlap } from './overlaps.mjs';
import { encode, Replies } from './wire.mjs';

/**
 * @typedef {{ group: string, socket: string, password?: string }} WatchedRedis
 * @typedef {{ name: string, pid: number, vips: string[], redis: WatchedRedis[] }} WatchedHost `pid`: of any process there
 * @typedef {{ every_ms: number, hosts: WatchedHost[] }} Options
 * @typedef {{ sent: number, received: number, vip: boolean }} Probe
 */

/** @type {Options} */
const options = JSON.parse(process.argv[2] ?? '');
const PROBE = encode(['DEL', 'tanist-lab:never-there']);
const RECONNECT_MS = 20;
/** A write that takes longer is held up. */
const HELD_UP_MS = 100;
const CHANGES_MAX = 2_000;

const now = () => Number(process.hrtime.bigint()) / 1e6;
/** What changed, and when. @type {{ at: number, host: string, what: string }[]} */
const changes = [];

/** @param {string} host @param {string} what */
function note(host, what) {
  if (changes.length < CHANGES_MAX) changes.push({ at: now(), host, what });
}

/** The addresses of a host, as its kernel lists them; the file stays that of the host even when the process ends. */
class Addresses {
  static #buffer = Buffer.alloc(256 * 1024);
  #fd;
  #vips;
  #name;
  #held = '';

  /** @param {WatchedHost} host */
  constructor(host) {
    this.#fd = openSync(`/proc/${host.pid}/net/fib_trie`, 'r');
    this.#vips = host.vips;
    this.#name = host.name;
  }

  /** Whether it holds any of the VIPs now. */
  hold() {
    const buffer = Addresses.#buffer;
    const text = buffer.toString('latin1', 0, readSync(this.#fd, buffer, 0, buffer.length, 0));
    const held = this.#vips.filter((vip) => {
      const at = text.indexOf(`|-- ${vip}\n`);
      return at !== -1 && /^[^\n]*\n\s+\/32 host LOCAL/.test(text.slice(at, at + 200));
    });
    const shown = held.join(' ');
    if (shown !== this.#held) note(this.#name, shown === '' ? 'no VIP' : `VIP ${shown}`);
    this.#held = shown;
    return held.length > 0;
  }
}

/** One Redis, probed again as soon as the last probe is answered. */
class Subject {
  /** @type {Probe[]} */
  probes = [];
  group;
  #redis;
  #addresses;
  #name;
  /** @type {import('node:net').Socket | null} */
  #socket = null;
  #ready = false;
  #triedAt = 0;
  #sentAt = 0;
  #vipAtSend = false;
  #seen = '';

  /** @param {string} name @param {WatchedRedis} redis @param {Addresses} addresses */
  constructor(name, redis, addresses) {
    this.#name = name;
    this.#redis = redis;
    this.#addresses = addresses;
    this.group = redis.group;
  }

  probe() {
    const vip = this.#addresses.hold();
    if (this.#socket === null) this.#connect();
    if (this.#sentAt !== 0 && now() - this.#sentAt > HELD_UP_MS) this.#note('holds writes up');
    if (this.#socket === null || !this.#ready || this.#sentAt !== 0) return;
    this.#vipAtSend = vip;
    this.#sentAt = now();
    this.#socket.write(PROBE);
  }

  #connect() {
    if (now() - this.#triedAt < RECONNECT_MS) return;
    this.#triedAt = now();
    const socket = connect({ path: this.#redis.socket });
    const replies = new Replies();
    this.#socket = socket;
    this.#sentAt = 0;
    this.#ready = this.#redis.password === undefined;
    if (this.#redis.password !== undefined) socket.write(encode(['AUTH', this.#redis.password]));
    socket.on('data', (bytes) => {
      for (const reply of replies.push(bytes)) {
        if (this.#ready) this.#answered(reply === 0);
        this.#ready = true;
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#note('gone');
    });
  }

  /** @param {boolean} wrote */
  #answered(wrote) {
    const received = now();
    const vip = this.#vipAtSend && this.#addresses.hold();
    if (wrote) this.probes.push({ sent: this.#sentAt, received, vip });
    this.#note(wrote ? 'takes writes' : 'refuses writes');
    this.#sentAt = 0;
  }

  /** @param {string} what */
  #note(what) {
    if (what !== this.#seen) note(this.#name, `${this.group} ${what}`);
    this.#seen = what;
  }
}

const subjects = options.hosts.flatMap((host) => {
  const addresses = new Addresses(host);
  return host.redis.map((redis) => new Subject(host.name, redis, addresses));
});
let samples = 0;
const ticker = setInterval(() => {
  samples++;
  for (const subject of subjects) subject.probe();
}, options.every_ms);

process.once('SIGTERM', () => {
  clearInterval(ticker);
  const groups = [...new Set(subjects.map((each) => each.group))];
  /** @param {(probe: Probe) => boolean} wanted */
  const overlaps = (wanted) =>
    groups.map((group) => overlap(subjects.filter((s) => s.group === group).map((s) => s.probes.filter(wanted))));
  const report = { samples, withVip: overlaps((probe) => probe.vip), writable: overlaps(() => true), changes };
  process.stdout.write(`watched ${JSON.stringify(report)}\n`, () => process.exit(0));
});
process.stdout.write('watching\n');
