/** The router process: one blocking loop around the core, so that nothing but the kernel's scheduler can delay an advert. */
import { bootTime_us, SleepMeter } from '../../net/clock.js';
import { SystemError, setRealtime } from '../../net/libc.js';
import { Poller } from '../../net/poll.js';
import type { Effect, Input, LogLevel } from '../core/io.js';
import { Router } from '../core/router.js';
import type { ControlPipe } from './control-pipe.js';
import { Kernel } from './kernel.js';
import type { ToRouter } from './messages.js';

/** The lowest real-time priority: ahead of every ordinary process, behind whatever else is real-time. */
const REALTIME_PRIORITY = 1;

export class RouterLoop {
  readonly #control: ControlPipe;
  readonly #poller = new Poller();
  readonly #router = new Router({ instances: [], groups: [], startupDelay_ms: 0 });
  readonly #kernel: Kernel;
  readonly #realtime: boolean;
  readonly #sleepMeter = new SleepMeter();
  #running = true;
  #latest_ms = 0;

  constructor(control: ControlPipe) {
    this.#control = control;
    this.#kernel = new Kernel((level, instance, message) => this.#log(level, instance, message));
    this.#realtime = this.#tryRealtime();
  }

  /** Runs until told to stop, or until the supervisor is gone. */
  run(): void {
    this.#poller.watch([this.#control.fd, ...this.#kernel.fds]);
    while (this.#running) {
      this.#poller.wait(Math.min(this.#kernel.due_ms, this.#router.nextDeadline() - performance.now()));
      this.#endLoans();
      if (!this.#running) break;
      for (const input of this.#kernel.drain()) this.#feed(input);
      const now = performance.now();
      const due = this.#router.nextDeadline();
      if (now >= due) {
        this.#latest_ms = Math.max(this.#latest_ms, now - due);
        this.#feed({ on: 'tick' });
      }
      this.#control.flush();
      this.#kernel.afterwards();
      this.#poller.watch([this.#control.fd, ...this.#kernel.fds]);
    }
    this.#kernel.close();
  }

  /**
   * Before anything is sent or answered: this process may have been frozen, or the host asleep, for longer than the
   * addresses were lent for. Renewals that wait in the pipe are read first, since they may still be good.
   */
  #endLoans(): void {
    const slept_ms = this.#sleepMeter.slept_ms();
    if (slept_ms > 0) this.#feed({ on: 'wake', slept_ms });
    this.#heedControl();
    if (performance.now() >= this.#router.nextExpiry()) this.#feed({ on: 'wake', slept_ms: 0 });
  }

  #heedControl(): void {
    const messages = this.#control.receive();
    if (messages === null) {
      // Nobody is left to run the scripts that guard the addresses, so they go to a host that has somebody.
      this.#feed({ on: 'stop' });
      this.#running = false;
      return;
    }
    for (const message of messages) this.#obey(message);
  }

  #obey(message: ToRouter): void {
    switch (message.say) {
      case 'configure': {
        const inputs = this.#kernel.configure(message.config);
        this.#kernel.cleanLeftovers();
        for (const input of inputs) this.#feed(input);
        this.#feed({ on: 'configure', config: message.config });
        this.#kernel.prune();
        this.#tellHeld();
        return;
      }
      case 'start':
        this.#feed({ on: 'start' });
        return;
      case 'track':
        this.#track(message);
        return;
      case 'snapshot': {
        const health = {
          pid: process.pid,
          realtime: this.#realtime,
          latest_ms: this.#latest_ms,
          rss_bytes: process.memoryUsage.rss(),
        };
        this.#latest_ms = 0;
        const instances = this.#router.snapshot(performance.now());
        this.#control.send({ say: 'snapshot', id: message.id, instances, process: health });
        return;
      }
      case 'stop':
        this.#feed({ on: 'stop' });
        this.#control.send({ say: 'stopped' });
        this.#running = false;
        return;
    }
  }

  #track({ id, status, value, until_us, reason }: Extract<ToRouter, { say: 'track' }>): void {
    const until = until_us === undefined ? {} : { until: performance.now() + (until_us - bootTime_us()) / 1000 };
    this.#feed({ on: 'track', id, status, value, ...until, ...(reason === undefined ? {} : { reason }) });
  }

  /** One step, and all that follows from carrying it out. */
  #feed(first: Input): void {
    const inputs = [first];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      for (const effect of this.#router.step(performance.now(), input)) inputs.push(...this.#carryOut(effect));
    }
    this.#tellHeld();
  }

  #tellHeld(): void {
    for (const { instance, held } of this.#kernel.heldNews()) this.#control.send({ say: 'held', instance, held });
  }

  #carryOut(effect: Effect): Input[] {
    switch (effect.do) {
      case 'notify':
      case 'lower-heard':
      case 'priority':
      case 'log':
        this.#control.send({ say: 'report', report: effect });
        return [];
      default:
        return this.#kernel.carryOut(effect);
    }
  }

  #tryRealtime(): boolean {
    try {
      setRealtime(REALTIME_PRIORITY);
      return true;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#log('info', null, `runs without real-time scheduling (${error.code}): adverts may be late on a busy host`);
      return false;
    }
  }

  #log(level: LogLevel, instance: string | null, message: string): void {
    this.#control.send({ say: 'report', report: { do: 'log', level, instance, message } });
  }
}
