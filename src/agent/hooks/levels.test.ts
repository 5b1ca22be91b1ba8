import { describe, expect, it } from 'vitest';
import { clusterView, groupView, masterView, memberView } from '../../../test/support/fake-control.js';
import type { HookEvent } from '../../config/tanist/model.js';
import { fingerprint, hookEnvironment, isResting, levelsOf } from './levels.pure.js';

const all: readonly HookEvent[] = ['role', 'vip', 'leader', 'failover', 'fence', 'health'];

function levels(...args: Parameters<typeof levelsOf>): string[] {
  return levelsOf(...args).map(({ group, event, level }) => `${group} ${event} ${level}`);
}

describe('the levels that hooks are told', () => {
  it('are those of this host, for each of its groups', () => {
    const fenced = memberView({ host: 'a', state: 'fenced', answers: false, vips: ['10.0.0.9', '10.0.0.100'] });
    const other = groupView({ name: 'other', leader: null, failover: 'waiting', members: [fenced] });
    expect(levels(clusterView({ groups: [groupView(), other] }), all)).toEqual([
      'mymaster role master',
      'mymaster vip 10.0.0.100',
      'mymaster leader a',
      'mymaster failover none',
      'mymaster fence clear',
      'mymaster health up',
      'other role fenced',
      'other vip 10.0.0.100,10.0.0.9',
      'other leader 10.0.0.1:6379',
      'other failover waiting',
      'other fence fenced',
      'other health down',
    ]);
  });

  it('of a witness are the leader and failovers', () => {
    const view = clusterView({ host: 'w' });
    expect(levels(view, all)).toEqual(['mymaster leader a', 'mymaster failover none']);
    const [leader] = levelsOf(view, ['leader']);
    expect(leader).toMatchObject({ role: 'witness', state: 'witness', vips: [] });
  });

  it('differ when there is something to tell', () => {
    const print = (event: HookEvent, group: Parameters<typeof groupView>[0]) => {
      const [level] = levelsOf(clusterView({ groups: [groupView(group)] }), [event]);
      return level === undefined ? '' : fingerprint(level);
    };
    // Two failovers in the time of one run; a leader that has moved to another port.
    expect(print('failover', { epoch: 4 })).not.toBe(print('failover', { epoch: 5 }));
    expect(print('leader', { master: { host: '10.0.0.1', port: 1 } })).not.toBe(print('leader', {}));
    // A reason, an offset or an epoch alone is no news to who wants to know the role.
    expect(print('role', { epoch: 4, members: [masterView({ reason: 'x', offset: 1 })] })).toBe(print('role', {}));
  });

  it('rest when nothing is the matter', () => {
    const resting = levelsOf(clusterView(), all).filter(isResting);
    expect(resting.map(({ event }) => event)).toEqual(['failover', 'fence']);
  });

  it('are an environment without empty names', () => {
    const [level] = levelsOf(clusterView({ groups: [groupView({ leader: null, paused: true })] }), ['role']);
    expect(level === undefined ? {} : hookEnvironment(level)).toMatchObject({
      TANIST_LEADER: '',
      TANIST_FAILOVER: '',
      TANIST_PAUSED: '1',
      TANIST_MASTER_PORT: '6379',
    });
  });
});
