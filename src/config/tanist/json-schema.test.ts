import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tanistJsonSchema } from './json-schema.js';

describe('schema/tanist.schema.json', () => {
  const published: unknown = JSON.parse(
    readFileSync(new URL('../../../schema/tanist.schema.json', import.meta.url), 'utf8'),
  );

  it('is what the reader goes by; `npm run schema` writes it anew', () => {
    expect(published).toEqual(tanistJsonSchema());
  });

  it('describes every key', () => {
    const bare: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [name, child] of Object.entries((schema as { properties?: object }).properties ?? {})) {
        if (typeof (child as { description?: unknown }).description !== 'string') bare.push(`${path}.${name}`);
      }
      for (const [name, child] of Object.entries(schema)) visit(child, `${path}.${name}`);
    };
    visit(published, '');
    expect(bare).toEqual([]);
  });
});
