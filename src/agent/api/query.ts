/** Reading a request's query and body. Whatever is not understood is refused, since an order half understood is dangerous. */
import type { ClusterView, GroupView } from '../view.js';
import { ApiError } from './errors.js';

export type Query = Readonly<Record<string, unknown>>;

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 };

/** One parameter; null when it is absent or empty. @throws {ApiError} 400 when it is there twice */
export function parameter(query: Query, name: string): string | null {
  const value = query[name];
  if (value === undefined || value === '') return null;
  if (typeof value === 'string') return value;
  throw new ApiError(400, `${name} is given more than once`, `give ${name} once`);
}

/** A lag in bytes, as Patroni's clients write it: `1048576`, `16kB`, `16MB`. @throws {ApiError} 400 */
export function lagParameter(query: Query): number | null {
  const text = parameter(query, 'lag');
  if (text === null) return null;
  const match = /^(\d{1,15})\s*([a-z]{0,2})$/i.exec(text.trim());
  const unit = UNITS[match?.[2]?.toLowerCase() ?? ''];
  if (match === null || unit === undefined) {
    throw new ApiError(400, `lag "${text}" is not a size`, 'write bytes, or a number with kB, MB, GB or TB: lag=16MB');
  }
  return Number(match[1]) * unit;
}

/** A whole number within bounds. @throws {ApiError} 400 */
export function countParameter(
  query: Query,
  name: string,
  bounds: { readonly most: number; readonly unless: number },
): number {
  const text = parameter(query, name);
  if (text === null) return bounds.unless;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= bounds.most) return value;
  throw new ApiError(400, `${name} "${text}" is out of range`, `give a whole number from 1 to ${bounds.most}`);
}

/** The group that is meant. @throws {ApiError} 404 when there is none of that name, 400 when one must be named */
export function pickGroup(view: ClusterView, wanted: string | null): GroupView {
  const names = view.groups.map(({ name }) => name);
  if (wanted === null) {
    const [only, ...others] = view.groups;
    if (only !== undefined && others.length === 0) return only;
    throw new ApiError(400, 'this cluster has several groups', `name one of them: ${names.join(', ')}`);
  }
  const found = view.groups.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  throw new ApiError(404, `there is no group "${wanted}"`, `name one of: ${names.join(', ')}`);
}

export interface OrderBody {
  readonly group: string | null;
  readonly to: string | null;
  readonly force: boolean;
}

/**
 * The body of an order. No body is the same as `{}`.
 * @param allowed the keys that this order knows
 * @throws {ApiError} 400
 */
export function orderBody(body: unknown, allowed: readonly (keyof OrderBody)[]): OrderBody {
  const fix = `send a JSON object with ${allowed.join(', ')} and nothing else`;
  if (body === undefined || body === null) return { group: null, to: null, force: false };
  if (typeof body !== 'object' || Array.isArray(body)) throw new ApiError(400, 'the body is not a JSON object', fix);
  const fields: Record<string, unknown> = { ...body };
  const unknown = Object.keys(fields).find((key) => !allowed.some((each) => each === key));
  if (unknown !== undefined) throw new ApiError(400, `"${unknown.slice(0, 64)}" is not known here`, fix);
  return { group: name(fields, 'group'), to: name(fields, 'to'), force: flag(fields, 'force') };
}

function name(fields: Readonly<Record<string, unknown>>, key: string): string | null {
  const value = fields[key] ?? null;
  if (value === null || (typeof value === 'string' && value !== '' && value.length <= 255)) return value;
  throw new ApiError(400, `${key} is not a name`, `give ${key} as a string, or leave it out`);
}

function flag(fields: Readonly<Record<string, unknown>>, key: string): boolean {
  const value = fields[key] ?? false;
  if (typeof value === 'boolean') return value;
  throw new ApiError(400, `${key} is neither true nor false`, `give ${key} as true or false, without quotes`);
}
