import { describe, expect, it } from 'vitest';
import { configForHost, isOneMachine } from './for-host.js';
import { readTanistConfig } from './read.js';

const NOTHING = { readFile: () => '', variable: () => undefined };

describe('the configuration of one host', () => {
  it('is that of the cluster', () => {
    const config = readTanistConfig('hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\nproxy: 22121\n', 'x.yml', NOTHING);
    expect(isOneMachine(config)).toBe(false);
    expect(configForHost(config, 'b')).toBe(config);
    expect(() => configForHost(config, 'd')).toThrow('there is no host d in x.yml');
  });

  it('shares nothing with the others of its machine', () => {
    const text = 'hosts: {a: 127.0.0.1, b: 127.0.0.2, c: 127.0.0.3}\nproxy: 22121\nstate_directory: /s\n';
    const b = configForHost(readTanistConfig(text, 'x.yml', NOTHING), 'b');
    expect(b.stateDirectory).toBe('/s/b');
    expect(b.groups[0]?.redis.directory).toBe('/s/mymaster/b');
    expect(b.api).toEqual({ host: '127.0.0.2', port: 8_008, token: null });
    expect(b.proxy?.pools[0]?.listen).toEqual({ host: '127.0.0.2', port: 22_121 });
    expect(b.proxy?.stats).toEqual({ host: '127.0.0.2', port: 22_222 });
  });
});
