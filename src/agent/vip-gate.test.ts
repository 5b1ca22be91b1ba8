import { expect, it } from 'vitest';
import { VipGate } from './vip-gate.js';

function gate(objection: string | null): { readonly gate: VipGate; readonly told: string[] } {
  const told: string[] = [];
  const vips = {
    grant: (group: string, until_ns: bigint) => told.push(`grant ${group} ${until_ns}`),
    revoke: (group: string, reason: string) => told.push(`revoke ${group}: ${reason}`),
  };
  return { gate: new VipGate(vips, objection), told };
}

it('passes on what keepers say while it is open', () => {
  const { gate: open, told } = gate(null);
  open.grant('one', 5n);
  open.revoke('one', 'ill');
  expect(told).toEqual(['grant one 5', 'revoke one: ill']);
});

it('revokes when it is shut, turns grants away, and repeats the latest when it is opened', () => {
  const { gate: open, told } = gate(null);
  open.grant('one', 5n);
  open.grant('two', 6n);
  told.length = 0;
  open.set('cut off');
  open.set('cut off');
  expect(told.splice(0)).toEqual(['revoke one: cut off', 'revoke two: cut off']);
  open.grant('one', 7n);
  open.revoke('two', 'ill');
  expect(told.splice(0)).toEqual(['revoke one: cut off', 'revoke two: ill']);
  open.set(null);
  expect(told).toEqual(['grant one 7']);
});

it('can be shut from the start', () => {
  const { gate: shut, told } = gate('not asked yet');
  shut.grant('one', 5n);
  shut.set(null);
  expect(told).toEqual(['revoke one: not asked yet', 'grant one 5']);
});
