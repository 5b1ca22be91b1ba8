import { describe, expect, it } from 'vitest';
import { RouteTable } from './routes.js';

const at = (epoch: number, port: number) => ({ group: 'g', host: '10.0.0.1', port, epoch });

describe('routes', () => {
  it('of an older epoch are ignored', () => {
    const table = new RouteTable();
    expect(table.take(at(2, 1))).toBe(true);
    expect(table.take(at(1, 2))).toBe(false);
    expect(table.all).toEqual([at(2, 1)]);
  });

  it('of epochs that have begun anew are taken, and do not begin anew wherever they are passed on', () => {
    const table = new RouteTable();
    table.take(at(9, 1));
    expect(table.take({ ...at(1, 2), anew: true })).toBe(true);
    const next = new RouteTable();
    next.take(at(3, 3));
    for (const route of table.all) expect(next.take(route)).toBe(false);
    expect(next.get('g')).toEqual(at(3, 3));
  });
});
