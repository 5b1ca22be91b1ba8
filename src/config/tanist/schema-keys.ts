/** Which keys may stand where in a tanist.yml, asked of the schema. */
import { z } from 'zod';
import { fileSchema } from './schema.js';
import type { Path } from './yaml-tree.js';

/** The keys that the map at `path` may have; empty where any may, or where no map can stand. */
export function keysAt(path: Path): readonly string[] {
  let here: z.core.$ZodType[] = [fileSchema];
  for (const step of path) here = here.flatMap(forms).flatMap((form) => below(form, step));
  return here.flatMap(forms).flatMap((form) => (form instanceof z.ZodObject ? Object.keys(form.shape) : []));
}

/** What a schema stands for once optional, unions and conversions are taken off. */
function forms(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional) return forms(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(forms);
  if (schema instanceof z.ZodPipe) return forms(schema.in);
  return [schema];
}

function below(form: z.core.$ZodType, step: string | number): z.core.$ZodType[] {
  if (form instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.core.$ZodType>> = form.shape;
    const found = Object.hasOwn(shape, step) ? shape[step] : undefined;
    return found === undefined ? [] : [found];
  }
  if (form instanceof z.ZodRecord) return [form.valueType];
  return form instanceof z.ZodArray ? [form.element] : [];
}
