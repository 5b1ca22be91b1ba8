import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReplicaLine, readServerInfo } from './info.js';

const RUN_ID = '7a3f9f7c1f6a3bb0c0b1d4f7c2f9e6a1b2c3d4e5';
const MASTER = [
  '# Server',
  'redis_version:7.0.15',
  `run_id:${RUN_ID}`,
  'uptime_in_seconds:17',
  '',
  '# Persistence',
  'loading:0',
  'async_loading:0',
  '',
  '# Replication',
  'role:master',
  'connected_slaves:3',
  'slave0:ip=10.0.0.1,port=6379,state=online,offset=14,lag=1',
  'slave10:ip=fe80::1,port=6381,state=wait_bgsave,offset=0,lag=0,type=replica',
  'slave2:ip=redis-2.example,port=0,state=online,offset=9,lag=-1',
  'master_failover_state:no-failover',
  `master_replid:${RUN_ID}`,
  'master_replid2:0000000000000000000000000000000000000000',
  'master_repl_offset:14',
  'second_repl_offset:-1',
  '',
].join('\r\n');

const REPLICA = [
  'role:slave',
  'master_host:2001:db8::7',
  'master_port:6379',
  'master_link_status:down',
  'master_last_io_seconds_ago:-1',
  'master_sync_in_progress:0',
  'slave_read_repl_offset:81',
  'slave_repl_offset:80',
  'master_link_down_since_seconds:12',
  'slave_priority:0',
  'replica_announced:0',
  'loading:1',
].join('\n');

describe('readServerInfo', () => {
  it('reads a master', () => {
    expect(readServerInfo(MASTER)).toMatchObject({
      runId: RUN_ID,
      version: '7.0.15',
      uptime_s: 17,
      role: 'master',
      loading: false,
      connectedReplicas: 3,
      replicas: [
        { host: '10.0.0.1', port: 6379, state: 'online', offset: 14, lag_s: 1 },
        { host: 'redis-2.example', port: 0, state: 'online', offset: 9, lag_s: -1 },
        { host: 'fe80::1', port: 6381, state: 'wait_bgsave', offset: 0, lag_s: 0 },
      ],
      failoverState: 'no-failover',
      masterReplId: RUN_ID,
      masterReplOffset: 14,
      secondReplOffset: -1,
      masterHost: null,
      masterLinkUp: null,
      replicaAnnounced: true,
    });
  });

  it('reads a replica, with LF alone', () => {
    expect(readServerInfo(REPLICA)).toMatchObject({
      runId: null,
      role: 'replica',
      loading: true,
      masterHost: '2001:db8::7',
      masterPort: 6379,
      masterLinkUp: false,
      masterLinkDownSince_s: 12,
      masterLastIo_s: -1,
      masterSyncInProgress: false,
      replicaOffset: 80,
      replicaPriority: 0,
      replicaAnnounced: false,
      replicas: [],
    });
  });

  it('reads the same whatever ends the lines', () => {
    expect(readServerInfo(MASTER.replaceAll('\r\n', '\n'))).toEqual(readServerInfo(MASTER));
  });

  it('takes garbled fields for unsaid', () => {
    const garbled = readServerInfo(
      'role:king\nmaster_port:99999\nslave_repl_offset:12x\nslave_priority:\nloading:2\nmaster_link_status:odd\n' +
        'slave0:\nslave1:ip=,port=1\nslave2:ip=a\nslave3:a,b\nslavex:ip=a,port=1\n:x\nnocolon\nmaster_failover_state:?',
    );
    expect(garbled).toEqual(readServerInfo(''));
  });

  it('survives any text, and any cut of a real one', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => readServerInfo(text).replicas.length >= 0));
    for (let end = 0; end < MASTER.length; end++) readServerInfo(MASTER.slice(0, end));
  });
});

describe('parseReplicaLine', () => {
  it('reads the form before Redis 2.8', () => {
    expect(parseReplicaLine('10.0.0.1,6379,online')).toEqual({
      host: '10.0.0.1',
      port: 6379,
      state: 'online',
      offset: null,
      lag_s: null,
    });
    expect(parseReplicaLine('::1,6379')).toMatchObject({ host: '::1', port: 6379, state: '' });
  });

  it.each(['', ',', 'a', 'a,x', 'a,-1', 'a,65536', 'ip=a', 'port=1', 'ip=a,port='])('refuses %j', (line) => {
    expect(parseReplicaLine(line)).toBeNull();
  });
});
