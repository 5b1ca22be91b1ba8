/** The schema of tanist.yml for editors, as JSON Schema (draft 2020-12). */
import { z } from 'zod';
import { fileSchema } from './schema.js';

/** A new object at each call. Limits that a text cannot express (units, addresses) are the reader's alone. */
export function tanistJsonSchema(): Record<string, unknown> {
  const { $schema, ...body } = z.toJSONSchema(fileSchema, {
    io: 'input',
    override: ({ jsonSchema }) => tidy(jsonSchema),
  });
  return {
    $schema,
    title: 'tanist.yml',
    description:
      'One cluster of Redis or Valkey: its hosts, groups, addresses and proxies. The same file on every host.',
    ...body,
    // Whatever an anchor is hung on.
    patternProperties: { '^x-': {} },
  };
}

/** Bounds that only say what a JavaScript number can count are noise. */
function tidy(schema: { minimum?: number; maximum?: number }): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}
