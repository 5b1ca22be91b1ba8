import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readTanistConfig } from './read.js';

const root = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('docs/tanist-yml.md', root), 'utf8');
const blocks = yamlBlocks(text);
/** Every other page that shows parts of a tanist.yml; proxy.md shows nutcracker's file. */
const pages = readdirSync(new URL('docs/', root))
  .filter((name) => name.endsWith('.md') && !['tanist-yml.md', 'proxy.md'].includes(name))
  .map((name) => `docs/${name}`);

/** Also those that stand in a list, without their indentation. */
function yamlBlocks(page: string): string[] {
  return [...page.matchAll(/^( *)```yaml\n(.*?)^\1```$/gms)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** Every file that the examples name is there. */
const there = { variable: () => 'secret', readFile: () => 'secret\n' };

function read(block: string) {
  // A part of a file stands for one with three hosts.
  const whole = /^hosts:/m.test(block) ? block : `hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\n${block}`;
  return readTanistConfig(whole, '/etc/tanist/tanist.yml', there);
}

describe('docs/tanist-yml.md', () => {
  it('has examples', () => {
    expect(blocks.length).toBeGreaterThan(8);
    expect(blocks[0]?.trim().split('\n').length).toBeLessThan(10);
  });

  it.each(blocks)('has an example that is accepted: %s', (block) => {
    expect(read(block).hosts.length).toBeGreaterThan(1);
  });

  it('writes out the defaults as they are', () => {
    const all = blocks.find((block) => block.startsWith('cluster: tanist')) ?? '';
    expect(read(all)).toEqual(read(blocks[0] ?? ''));
  });

  it('lists every key, and none that is not there', () => {
    const schema: unknown = parse(readFileSync(new URL('../../../schema/tanist.schema.json', import.meta.url), 'utf8'));
    const keys = new Set<string>();
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const key of Object.keys((node as { properties?: object }).properties ?? {})) keys.add(key);
      for (const child of Object.values(node)) visit(child);
    };
    visit(schema);
    const code = [...text.matchAll(/`[^`\n]+`/g)].map((match) => match[0]).join(' ');
    const listed = new Set(code.match(/[a-z_]+/g));
    expect([...keys].filter((key) => !listed.has(key))).toEqual([]);
    const rows = [...text.matchAll(/^\| `([a-z_]+)` +\|/gm)].map((match) => match[1] ?? '');
    expect(rows.filter((key) => !keys.has(key) && !['async', 'attach', 'pair'].includes(key))).toEqual([]);
  });

  it('lists every finding', () => {
    const sources = ['findings.ts', 'redis-conf.ts'].map((name) =>
      readFileSync(new URL(name, import.meta.url), 'utf8'),
    );
    const codes = [...sources.join('').matchAll(/(?:warning|note|finding)\(\s*'([a-z-]+)'/g)].map(
      (match) => match[1] ?? '',
    );
    expect(codes.length).toBeGreaterThan(20);
    expect(codes.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
  });
});

describe.each(['README.md', ...pages])('%s', (name) => {
  const examples = yamlBlocks(readFileSync(new URL(name, root), 'utf8'));

  it('shows only what is accepted', () => {
    for (const block of examples) expect(() => read(block), block).not.toThrow();
  });
});

it('finds the examples of the other pages', () => {
  const found = ['README.md', ...pages].flatMap((name) => yamlBlocks(readFileSync(new URL(name, root), 'utf8')));
  expect(found.length).toBeGreaterThan(10);
});
