/** Where a command prints, and whom it may ask: a terminal with its width and colours, or a pipe with neither. */
import { createInterface } from 'node:readline/promises';

/** Colours by meaning; each gives its text back unchanged when colour is off. */
export interface Colours {
  readonly dim: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly strong: (text: string) => string;
}

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Columns of the output; null when it is no terminal, and lines may be as long as they are. */
  width(): number | null;
  /** The output is a terminal that can be drawn upon. */
  readonly canRedraw: boolean;
  readonly colours: Colours;
  /** Somebody is there to be asked. */
  readonly canAsk: boolean;
  /** @returns true for yes; anything else is no */
  ask(question: string): Promise<boolean>;
}

export function colours(on: boolean): Colours {
  const code =
    (start: number, end: number) =>
    (text: string): string =>
      on && text !== '' ? `\u001b[${start}m${text}\u001b[${end}m` : text;
  return { dim: code(2, 22), bad: code(31, 39), warn: code(33, 39), strong: code(1, 22) };
}

/** The process's own. Colour is left out for NO_COLOR, a dumb terminal, and whatever is no terminal. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  // Who pipes us into `head` has seen enough.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    width: () => (stdout.isTTY ? stdout.columns : null),
    canRedraw: stdout.isTTY && env['TERM'] !== 'dumb',
    colours: colours(stdout.isTTY && !isPlain),
    canAsk: stdin.isTTY && stderr.isTTY,
    async ask(question) {
      const asker = createInterface({ input: stdin, output: stderr });
      // End of input is no answer, and no answer is no.
      const end = new Promise<string>((resolve) => asker.on('close', () => resolve('')));
      try {
        return /^y(es)?$/i.test((await Promise.race([asker.question(question), end])).trim());
      } finally {
        asker.close();
      }
    },
  };
}

/** Text from elsewhere must not be able to steer the terminal, nor to break a line. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}
