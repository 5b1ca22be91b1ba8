import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { clusterView, FakeControl, groupView, masterView, memberView } from '../../../test/support/fake-control.js';
import type { HookCounts } from '../hooks/hooks.js';
import { AgentMetrics } from './metrics.js';

const cleanup = cleanupAfterEach();

function start() {
  const control = new FakeControl();
  const hooks: HookCounts[] = [];
  const metrics = new AgentMetrics(control, { hooks: () => hooks, eventReaders: () => ({ now: 2, dropped: 1 }) });
  cleanup.add(() => metrics.stop());
  const scrape = async () => (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { control, hooks, metrics, scrape };
}

describe('the metrics', () => {
  it('show what this host knows', async () => {
    const { scrape, control } = start();
    const lines = await scrape();
    expect(lines).toEqual(
      expect.arrayContaining([
        'tanist_info{version="0.1.0",cluster="tanist",host="a",mode="quorum"} 1',
        'tanist_epoch{group="mymaster"} 3',
        'tanist_leader{group="mymaster",host="a"} 1',
        'tanist_leader{group="mymaster",host="b"} 0',
        'tanist_lease_seconds{group="mymaster"} 0.812',
        'tanist_vip_held{group="mymaster"} 1',
        'tanist_member_role{group="mymaster",host="b",role="replica"} 1',
        'tanist_member_role{group="mymaster",host="b",role="master"} 0',
        'tanist_member_state{group="mymaster",host="a",state="master"} 1',
        'tanist_lag_bytes{group="mymaster",host="b"} 0',
        'tanist_voters 3',
        'tanist_voters_answering 3',
        'tanist_failovers_total{group="mymaster"} 0',
        'tanist_event_readers 2',
        'tanist_event_readers_dropped_total 1',
      ]),
    );
    expect(lines.find((line) => line.startsWith('tanist_event_loop_lag_seconds{quantile="1"}'))).toMatch(/ [\d.e-]+$/);
    expect(control.views).toBe(0);
  });

  it('forget what is no longer known', async () => {
    const { scrape, control } = start();
    await scrape();
    const lost = memberView({ role: 'unknown', state: 'unreachable', answers: false, lag_bytes: null });
    const members = [masterView({ state: 'fenced', lease_ms: null, vips: [] }), lost];
    control.current = clusterView({ groups: [groupView({ leader: null, members })] });
    const lines = await scrape();
    expect(lines).toEqual(
      expect.arrayContaining([
        'tanist_lease_seconds{group="mymaster"} 0',
        'tanist_vip_held{group="mymaster"} 0',
        'tanist_leader{group="mymaster",host="a"} 0',
        'tanist_redis_up{group="mymaster",host="b"} 0',
        'tanist_member_state{group="mymaster",host="b",state="unreachable"} 1',
      ]),
    );
    expect(lines.filter((line) => /^tanist_(lag|keys|replication)\S*host="b"/.test(line))).toEqual([]);
  });

  it('count events of the groups of the file, and of no others', async () => {
    const { scrape, control } = start();
    control.tell({ what: 'failover' });
    control.tell({ what: 'failover' });
    control.tell({ what: 'fence' });
    for (let n = 0; n < 100; n += 1) control.tell({ what: 'fence', group: `forged-${n}` });
    const lines = await scrape();
    expect(lines).toContain('tanist_failovers_total{group="mymaster"} 2');
    expect(lines.filter((line) => line.startsWith('tanist_fences_total'))).toEqual([
      'tanist_fences_total{group="mymaster"} 1',
    ]);
  });

  it('count what hooks did, and not twice', async () => {
    const { scrape, hooks } = start();
    hooks.push({ hook: 'mine', ok: 3, failed: 2, timedOut: 1, gaveUp: 1, coalesced: 4, waiting: 1 });
    await scrape();
    expect(await scrape()).toEqual(
      expect.arrayContaining([
        'tanist_hook_runs_total{hook="mine",result="ok"} 3',
        'tanist_hook_runs_total{hook="mine",result="timeout"} 1',
        'tanist_hook_failures_total{hook="mine"} 1',
        'tanist_hook_coalesced_total{hook="mine"} 4',
        'tanist_hook_waiting{hook="mine"} 1',
      ]),
    );
  });

  it('are named after the house and the unit, and say what they are', async () => {
    const { metrics } = start();
    const text = await metrics.text();
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      expect(name).toMatch(/^(tanist|process)_[a-z_]+$/);
      expect([name, name?.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'));
    }
  });
});
