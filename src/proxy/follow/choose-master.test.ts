import { describe, expect, it } from 'vitest';
import { chooseMaster, readView, type SentinelView } from './choose-master.js';

const view = (sentinel: string, port: number, configEpoch: number): SentinelView => ({
  sentinel,
  host: '10.0.0.1',
  port,
  configEpoch,
});

describe('the master to use', () => {
  it('is the one of the highest configuration epoch, however many sentinels lag', () => {
    expect(chooseMaster([view('a', 1, 3), view('b', 2, 4), view('c', 1, 3)], null, 3)).toEqual({
      kind: 'master',
      master: { host: '10.0.0.1', port: 2, configEpoch: 4 },
      reason: 'b says so at epoch 4',
    });
  });

  it('is what most say among equal epochs', () => {
    const choice = chooseMaster([view('a', 1, 0), view('b', 2, 0), view('c', 2, 0)], null, 3);
    expect(choice).toMatchObject({ kind: 'master', master: { port: 2 } });
  });

  it('is not the word of one sentinel that has missed a failover', () => {
    const known = { host: '10.0.0.1', port: 2, configEpoch: 4 };
    expect(chooseMaster([view('a', 1, 3)], known, 3)).toEqual({
      kind: 'none',
      reason: 'only a names a master, at epoch 3, older than the known 4',
    });
  });

  it('may be of a lower epoch when most sentinels say so: they have been set up anew', () => {
    const known = { host: '10.0.0.1', port: 2, configEpoch: 4 };
    const choice = chooseMaster([view('a', 1, 0), view('b', 1, 0)], known, 3);
    expect(choice).toMatchObject({ kind: 'master', master: { port: 1, configEpoch: 0 } });
  });

  it('is nobody when nobody answers', () => {
    expect(chooseMaster([], null, 3)).toEqual({ kind: 'none', reason: 'no sentinel answers for this master' });
  });
});

describe('SENTINEL MASTER', () => {
  it('is read by names', () => {
    const reply = ['name', 'm', 'ip', Buffer.from('::1'), 'port', '6379', 'flags', 'master', 'config-epoch', '7'];
    expect(readView('s', reply)).toEqual({ sentinel: 's', host: '::1', port: 6379, configEpoch: 7 });
  });

  it.each([
    [null],
    ['x'],
    [[]],
    [['ip', '', 'port', '1', 'config-epoch', '0']],
    [['ip', 'h', 'port', 'x', 'config-epoch', '0']],
  ])('may be unusable: %j', (reply) => {
    expect(readView('s', reply)).toBeNull();
  });
});
