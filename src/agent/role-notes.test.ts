import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { KeeperState } from '../keeper/core/io.js';
import { RoleNotes } from './role-notes.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A keeper that begins as the first of the states and becomes the next ones. */
function open(first: KeeperState) {
  const told: string[] = [];
  const notes = new RoleNotes(({ what, text }) => told.push(`${what}: ${text}`));
  let from = first;
  const become = (...states: KeeperState[]): void => {
    for (const state of states) {
      notes.became({ state, from, reason: 'why' });
      from = state;
    }
  };
  return { told, notes, become };
}

it('says nothing of a replica that changes its master', () => {
  const { told, become } = open('replica');
  become('quarantined', 'replica');
  vi.runAllTimers();
  expect(told).toEqual([]);
});

it('says in one word what came of a start, and of a promotion', () => {
  const { told, become } = open('starting');
  become('quarantined', 'fenced', 'replica', 'quarantined', 'fenced', 'master');
  expect(told).toEqual(['role: starting -> replica: why', 'role: replica -> master: why']);
});

it('tells of a master that is fenced at once', () => {
  const { told, become } = open('master');
  become('fenced', 'quarantined');
  expect(told).toEqual(['fence: master -> fenced: why', 'role: fenced -> quarantined: why']);
});

it('tells what lasts, and what ends otherwise, from its beginning', () => {
  const { told, notes, become } = open('replica');
  become('quarantined');
  vi.runAllTimers();
  expect(told.splice(0)).toEqual(['role: replica -> quarantined: why']);
  become('replica', 'quarantined', 'failed');
  expect(told.splice(0)).toEqual([
    'role: quarantined -> replica: why',
    'role: replica -> quarantined: why',
    'role: quarantined -> failed: why',
  ]);
  become('replica', 'quarantined');
  notes.stop();
  expect(told).toEqual(['role: failed -> replica: why', 'role: replica -> quarantined: why']);
});
