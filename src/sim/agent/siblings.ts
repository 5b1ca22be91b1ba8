/** The other Redis processes of a group, asked directly, as `src/agent/sibling-links.ts` does. */
import type { Input, Place, Sibling } from '../../keeper/core/io.js';
import { siblingOf } from '../../keeper/core/sibling.js';
import type { AgentHost } from './agent-host.js';
import { Link } from './link.js';

const ASK_MS = 500;

interface Known {
  readonly place: Place;
  readonly link: Link;
  info: string;
  at: number;
}

export class Siblings {
  readonly #known: readonly Known[];
  #asking = false;
  #askAgain = false;

  constructor(
    private readonly host: AgentHost,
    places: readonly Place[],
    private readonly deliver: (input: Input) => void,
  ) {
    this.#known = places.map((place) => ({
      place,
      link: new Link(host.context, {
        from: { host: host.host, gate: host.agent.gate },
        to: { ip: place.host, port: place.port },
        connectTimeout_ms: 1_000,
        backoff: { base_ms: 100, max_ms: 2_000 },
        pending_max: 16,
        closeOnTimeout: true,
      }),
      info: '',
      at: Number.NEGATIVE_INFINITY,
    }));
  }

  get peak(): number {
    return Math.max(0, ...this.#known.map(({ link }) => link.peak));
  }

  /** Asks all of them; asked again meanwhile, they are asked once more. */
  ask(): void {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    const answers: (Sibling | null)[] = [];
    const done = (sibling: Sibling | null): void => {
      answers.push(sibling);
      if (answers.length < this.#known.length) return;
      // What is settled in this moment is told in the next turn of the event loop.
      this.host.later(0.02, () => this.#answered(answers.filter((each) => each !== null)));
    };
    for (const known of this.#known) this.#askOne(known, done);
  }

  close(how: 'reset' | 'silently'): void {
    for (const { link } of this.#known) link.close(how);
  }

  #askOne(known: Known, done: (sibling: Sibling | null) => void): void {
    const asked = this.host.now;
    known.link.request(['INFO'], ASK_MS, (outcome) => {
      const reply = 'reply' in outcome ? outcome.reply : null;
      const alive = typeof reply === 'string';
      if (alive) {
        known.info = reply;
        known.at = asked;
      }
      done(siblingOf(known.info, known.place, { alive, age_ms: Math.max(0, this.host.now - known.at) }));
    });
  }

  #answered(siblings: readonly Sibling[]): void {
    this.#asking = false;
    this.deliver({ on: 'siblings', siblings });
    if (!this.#askAgain) return;
    this.#askAgain = false;
    this.ask();
  }
}
