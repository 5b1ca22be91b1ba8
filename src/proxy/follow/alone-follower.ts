/**
 * Asks the Sentinels of the other hosts while the agent of this one is away, several times a second, and at once when one
 * says that the master has changed; what they say becomes routes and holds, as the agent's would.
 */
import { describeEndpoint } from '../../redis/endpoint.js';
import { Alone, type AloneSettings } from './alone.pure.js';
import { type Hold, type Route, RouteTable } from './routes.js';
import { SentinelLinks } from './sentinel-links.js';

const POLL_MS = 200;
const BACKOFF_MAX_MS = 500;
/** Then a master that was to step down, and has not, is asked again. */
const LEAVING_MS = 1_000;

export interface AloneEvents {
  readonly routes: (routes: readonly Route[]) => void;
  readonly hold: (hold: Hold) => void;
  readonly log: (text: string) => void;
}

export class AloneFollower {
  readonly #settings: AloneSettings;
  readonly #events: AloneEvents;
  readonly #alone: Alone;
  readonly #routes = new RouteTable();
  readonly #sentinels: readonly SentinelLinks[];
  readonly #timer: NodeJS.Timeout;
  readonly #objections = new Set<string>();
  readonly #asking = new Set<SentinelLinks>();
  #stopped = false;

  /**
   * Begins at once.
   * @param known the routes that the agent has left
   * @param since_ms when the agent was last heard, monotonic
   */
  constructor(settings: AloneSettings, known: readonly Route[], since_ms: number, events: AloneEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#alone = new Alone(settings, since_ms);
    for (const route of known) this.#routes.take(route);
    this.#sentinels = settings.sentinels.map((to) => this.#connect(to));
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
    // On the dot: in the next moment others may begin to elect, and nothing is to be under way then.
    const { leaseEnd_ms } = this.#alone;
    if (leaseEnd_ms !== null) setTimeout(() => this.#judge(), Math.ceil(leaseEnd_ms - performance.now()) + 1).unref();
  }

  #connect(to: { readonly host: string; readonly port: number }): SentinelLinks {
    const { login, tls } = this.#settings;
    const options = { to, tls, login, backoffMax_ms: BACKOFF_MAX_MS };
    return new SentinelLinks(options, {
      state: ({ is }) => {
        if (is === 'up') setImmediate(() => this.#poll());
      },
      switched: () => this.#poll(),
      leaving: ({ group, host, port }) => {
        const route = this.#routes.get(group);
        if (this.#stopped || route?.host !== host || route.port !== port) return;
        this.#events.hold({ group, for_ms: LEAVING_MS, reason: 'a planned switchover has begun' });
      },
    });
  }

  /** A master does not answer as one. */
  doubted(): void {
    this.#poll();
  }

  #poll(): void {
    if (this.#stopped) return;
    for (const [i, sentinel] of this.#sentinels.entries()) void this.#ask(sentinel, i);
    this.#judge();
  }

  async #ask(sentinel: SentinelLinks, number: number): Promise<void> {
    if (this.#asking.has(sentinel)) return;
    this.#asking.add(sentinel);
    const askedAt_ms = performance.now();
    await Promise.all(
      this.#settings.groups.map(async (name) => {
        const view = await sentinel.ask(name);
        if (view === null || this.#stopped) return;
        const told: Route = { group: name, host: view.host, port: view.port, epoch: view.configEpoch };
        const news = this.#alone.heard(number, told, this.#routes.get(name), askedAt_ms);
        if (news !== null) this.#follow(news, sentinel.name);
      }),
    );
    this.#asking.delete(sentinel);
  }

  #follow(route: Route, sentinel: string): void {
    this.#routes.take(route);
    this.#events.log(`the agent is away; ${sentinel} says that ${describeEndpoint(route)} leads '${route.group}'`);
    this.#events.routes([route]);
  }

  #judge(): void {
    if (this.#stopped) return;
    const now = performance.now();
    for (const name of this.#settings.groups) {
      const hold = this.#alone.hold(name, this.#routes.get(name), now);
      if (hold === null) {
        this.#objections.delete(name);
        continue;
      }
      if (!this.#objections.has(name)) this.#events.log(`requests for '${name}' wait: ${hold.reason}`);
      this.#objections.add(name);
      this.#events.hold(hold);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const sentinel of this.#sentinels) sentinel.close();
  }
}
