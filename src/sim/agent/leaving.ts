/** How an agent ends that was told to: the steps of `src/agent/agent.ts` and `src/keeper/run/runner.ts`, in virtual time. */
import type { AgentProcess } from './agent-process.js';

/** As in `control.ts` and `runner.ts`. */
const HAND_OVER_MS = 8_000;
const STOP_MS = 1_500;
/** Hooks are ended between the hand-over and the keepers. */
const HOOKS_MS = 30;

export class Leaving {
  #phase: 'hand-over' | 'keepers' | 'rest' = 'hand-over';

  constructor(
    private readonly agent: AgentProcess,
    /** Told once, at its very end. */
    private readonly ended: () => void,
  ) {}

  /** Masters are handed over to whoever can take them. */
  begin(): void {
    const { host, rooms } = this.agent;
    const leading = [...rooms.values()].filter((room) => room.keeper.state === 'master');
    let open = leading.length;
    // In a pair the other takes over as soon as this one has gone.
    if (open === 0 || host.world.plan.mode === 'pair') return this.#stopKeepers();
    host.later(HAND_OVER_MS, () => this.#stopKeepers());
    for (const room of leading) {
      this.agent.switchOver(room.group, null, false, () => {
        open -= 1;
        if (open === 0) this.#soon();
      });
    }
  }

  /** Looks whether what is waited for has come. */
  look(): void {
    if (this.#phase !== 'keepers') return;
    if ([...this.agent.rooms.values()].every(({ keeper }) => keeper.state === 'stopped')) this.#finish();
  }

  #soon(): void {
    const { prng } = this.agent.host.context;
    if (prng.chance(0.5)) this.#stopKeepers();
    else this.agent.host.later(prng.below(HOOKS_MS), () => this.#stopKeepers());
  }

  #stopKeepers(): void {
    if (this.#phase !== 'hand-over') return;
    this.#phase = 'keepers';
    this.agent.host.later(STOP_MS, () => this.#finish());
    for (const room of this.agent.rooms.values()) room.deliver({ on: 'stop' });
    this.look();
  }

  /** What they said last is on its way; VIPs, API and Sentinel end. */
  #finish(): void {
    if (this.#phase !== 'keepers') return;
    this.#phase = 'rest';
    const { host } = this.agent;
    const { prng } = host.context;
    host.later(prng.chance(0.5) ? prng.between(2, 30) : prng.between(2, STOP_MS), this.ended);
  }
}
