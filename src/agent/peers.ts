/** The Sentinels of the other hosts, and what agents ask each other through them. */
import type { HostConfig, TanistConfig } from '../config/tanist/model.js';
import type { TlsSettings } from '../redis/endpoint.js';
import { type LinkOptions, RedisLink } from '../redis/link.js';
import { LinkError, type LinkErrorCode } from '../redis/link-error.js';
import { ErrorReply, type Reply } from '../redis/reply.js';

const BACKOFF = { base_ms: 50, max_ms: 1_000 };
const CONNECT_MS = 1_000;
/** Questions are few; a peer that hangs must not gather more. */
const PENDING_MAX = 64;
/** Failures that only a host that can be reached brings about, with an agent or without. */
const SIGNS_OF_LIFE: readonly LinkErrorCode[] = ['ERR_LINK_REFUSED', 'ERR_LINK_AUTH', 'ERR_LINK_PROTOCOL'];

/** In the place of a reply that did not come. */
export class NoAnswer extends ErrorReply {
  readonly why: LinkErrorCode;

  constructor(host: string, error: LinkError) {
    super(`ERR the agent on ${host} does not answer: ${error.message}`);
    this.why = error.code;
  }
}

export class Peers {
  readonly #links = new Map<string, RedisLink>();
  readonly #connections = new Map<string, number>();
  readonly #options: (host: HostConfig) => LinkOptions;
  readonly #hosts: ReadonlyMap<string, HostConfig>;

  /** Connects to all others at once, and again whenever a connection ends. */
  constructor(config: TanistConfig, self: HostConfig, tls: TlsSettings | null) {
    const password = config.sentinel.auth?.value ?? '';
    this.#options = ({ address }) => ({
      to: { host: address, port: config.sentinel.port },
      tls,
      auth: password === '' ? null : { user: '', pass: password },
      name: `tanist-agent-${self.name}`,
      localAddress: self.address,
      connectTimeout_ms: CONNECT_MS,
      pending_max: PENDING_MAX,
      backoff: BACKOFF,
    });
    this.#hosts = new Map(config.hosts.filter(({ name }) => name !== self.name).map((host) => [host.name, host]));
    for (const [name, host] of this.#hosts) {
      const onState: LinkOptions['onState'] = ({ is }) => {
        if (is === 'up') this.#connections.set(name, this.connection(name) + 1);
      };
      this.#links.set(name, new RedisLink({ ...this.#options(host), closeOnTimeout: true, onState }));
    }
  }

  /** Names of the other hosts. */
  get hosts(): readonly string[] {
    return [...this.#links.keys()];
  }

  /** Whether requests to this host go straight out. */
  isUp(host: string): boolean {
    return this.#links.get(host)?.up ?? false;
  }

  /** Another number, another connection to this host, and so perhaps another agent; 0 before the first. */
  connection(host: string): number {
    return this.#connections.get(host) ?? 0;
  }

  /** Asks one host. @returns its reply, or a {@link NoAnswer} that says why there is none */
  async ask(host: string, args: readonly string[], deadline_ms: number): Promise<Reply> {
    const link = this.#links.get(host);
    if (link === undefined) return new ErrorReply(`ERR no host is named '${host}'`);
    return request(host, link, args, deadline_ms);
  }

  /**
   * Gives one host an order, which may take its time: on a connection of its own, since the others end with any question that
   * is not answered soon enough. @returns as {@link ask}
   */
  async order(host: string, args: readonly string[], deadline_ms: number): Promise<Reply> {
    const to = this.#hosts.get(host);
    // One that is not there is not waited for.
    if (to === undefined || !this.isUp(host)) return this.ask(host, args, deadline_ms);
    const link = new RedisLink({ ...this.#options(to), whileDown: 'wait' });
    try {
      return await request(host, link, args, deadline_ms);
    } finally {
      link.close();
    }
  }

  /** Whether this host can be reached now: its agent answers, or its kernel does for an agent that is not there. */
  async reaches(host: string, deadline_ms: number): Promise<boolean> {
    try {
      await this.#links.get(host)?.request(['PING'], { deadline_ms });
      return this.#links.has(host);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      return SIGNS_OF_LIFE.includes(error.code);
    }
  }

  /** Asks all others at once. */
  async askAll(args: readonly string[], deadline_ms: number): Promise<ReadonlyMap<string, Reply>> {
    const replies = this.hosts.map(async (host) => [host, await this.ask(host, args, deadline_ms)] as const);
    return new Map(await Promise.all(replies));
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }
}

async function request(host: string, link: RedisLink, args: readonly string[], deadline_ms: number): Promise<Reply> {
  try {
    return await link.request(args, { deadline_ms });
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    return new NoAnswer(host, error);
  }
}
