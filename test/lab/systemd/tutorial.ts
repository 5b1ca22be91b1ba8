/** The README's tutorial as a user would paste it: its commands, and the file that it shows, from the page itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One fenced block. */
export interface Block {
  /** Number of the step that it belongs to. */
  readonly step: number;
  readonly kind: 'sh' | 'yaml' | 'text';
  readonly text: string;
}

/**
 * The blocks of the section `## Three hosts`, in order.
 * @throws {Error} when a block is of no known kind: what is not marked cannot be tried
 */
export function tutorialBlocks(root: string): Block[] {
  const page = readFileSync(join(root, 'README.md'), 'utf8');
  const [, section = ''] = /^## Three hosts\n([\s\S]*?)^## /m.exec(page) ?? [];
  const blocks: Block[] = [];
  let step = 0;
  for (const match of section.matchAll(/^\*\*(\d+)\. |^```(\w*)\n([\s\S]*?)^```$/gm)) {
    const [, number, kind, text = ''] = match;
    if (number !== undefined) step = Number(number);
    else if (kind === 'sh' || kind === 'yaml' || kind === 'text') blocks.push({ step, kind, text });
    else throw new Error(`README.md, step ${step} of the tutorial: a block is neither sh, yaml nor text:\n${text}`);
  }
  return blocks;
}

/** The commands of a step as one text, and those that are left out of it, since they need the network. */
export function commandsOf(blocks: readonly Block[], step: number): { readonly run: string; readonly left: string[] } {
  const text = blocks.filter((block) => block.step === step && block.kind === 'sh').map((block) => block.text);
  const left: string[] = [];
  const run = text.join('').replaceAll(/^apt-get .*\n|(?<=^cd \S+) && (npm ci.*)$/gm, (found) => {
    left.push(found.trim().replace(/^&& /, ''));
    return '';
  });
  return { run, left };
}
