/** A terminal of any width that keeps what is printed, and answers as a test says. */
import { colours, type Terminal } from '../../src/cli/terminal.js';

export class FakeTerminal implements Terminal {
  printed = '';
  complaints = '';
  readonly questions: string[] = [];
  readonly colours: Terminal['colours'];
  readonly canRedraw: boolean;
  readonly canAsk: boolean;
  readonly #width: number | null;
  readonly #answer: boolean | null;

  /** @param options `answer`: null when nobody is there to be asked */
  constructor(options: { width?: number; colour?: boolean; answer?: boolean | null } = {}) {
    this.#width = options.width ?? null;
    this.#answer = options.answer ?? null;
    this.colours = colours(options.colour ?? false);
    this.canRedraw = options.colour ?? false;
    this.canAsk = this.#answer !== null;
  }

  out(text: string): void {
    this.printed += text;
  }

  err(text: string): void {
    this.complaints += text;
  }

  width(): number | null {
    return this.#width;
  }

  async ask(question: string): Promise<boolean> {
    this.questions.push(question);
    return this.#answer === true;
  }
}
