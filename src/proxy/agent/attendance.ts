/** Whether an agent speaks to this proxy; and who is asked while none does. */
import type { AloneSettings } from '../follow/alone.pure.js';
import { AloneFollower } from '../follow/alone-follower.js';
import type { ProxyLog } from '../log.js';
import type { ServedProxy } from './served-proxy.js';

/** An agent repeats its routes every second; one that has said nothing for so long is frozen, if it is there at all. */
const SILENT_MS = 3_000;
const LOOK_MS = 500;

export class Attendance {
  /** What the agent has left for when it is away; null for nothing. */
  settings: AloneSettings | null = null;
  readonly #served: ServedProxy;
  readonly #log: ProxyLog;
  readonly #timer: NodeJS.Timeout;
  #heardAt_ms = performance.now();
  #follower: AloneFollower | null = null;
  #stopped = false;

  constructor(served: ServedProxy, log: ProxyLog) {
    this.#served = served;
    this.#log = log;
    this.#timer = setInterval(() => {
      if (performance.now() - this.#heardAt_ms > SILENT_MS) this.#goOnAlone('the agent says nothing');
    }, LOOK_MS);
  }

  /** The agent has gone, and no other has come. */
  left(): void {
    this.#goOnAlone('the agent has gone');
  }

  /** The agent has said something. */
  heard(): void {
    this.#heardAt_ms = performance.now();
    if (this.#follower === null) return;
    this.#follower.stop();
    this.#follower = null;
    this.#log.notice('an agent is back');
  }

  /** A master does not answer as one. */
  doubted(): void {
    this.#follower?.doubted();
  }

  #goOnAlone(why: string): void {
    if (this.#follower !== null || this.settings === null || this.#stopped) return;
    const others = this.settings.sentinels.length;
    this.#log.warn(`${why}: serving on, by the last routes and by what ${others} other Sentinels say`);
    this.#follower = new AloneFollower(this.settings, this.#served.known, this.#heardAt_ms, {
      routes: (routes) => this.#served.routes(routes),
      hold: (hold) => this.#served.hold(hold),
      log: (text) => this.#log.notice(text),
    });
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#follower?.stop();
    this.#follower = null;
  }
}
