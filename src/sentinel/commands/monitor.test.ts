import { describe, expect, it } from 'vitest';
import { PEER_B, PEER_C, SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';

const INVALID_HOST = new ErrorReply('ERR Invalid IP address or hostname specified');

function settled(): SentinelDriver {
  const driver = new SentinelDriver();
  driver.peersAgree();
  driver.advance(5_000);
  return driver;
}

function monitor(driver: SentinelDriver, name: string, host = '10.0.0.7', port = '7', quorum = '1'): Reply {
  return driver.command('SENTINEL', 'MONITOR', name, host, port, quorum);
}

describe('SENTINEL MONITOR', () => {
  it('watches with the defaults, tells it and keeps it', () => {
    const driver = settled();
    expect(monitor(driver, 'n')).toBe(OK);
    expect(driver.events).toContain('+monitor master n 10.0.0.7 7 quorum 1');
    expect(driver.snapshots.at(-1)?.masters[1]).toMatchObject({ name: 'n', downAfter_ms: 30_000, parallelSyncs: 1 });
    expect(driver.command('ROLE')).toEqual(['sentinel', ['m', 'n']]);
  });

  it.each(['', 'a b', 'a,b', 'a"b', 'a\nb', 'é', 'x'.repeat(257)])('refuses the name %j', (name) => {
    expect(monitor(settled(), name)).toMatchObject({ code: 'ERR' });
  });

  it('refuses port 0, at which nothing can be watched', () => {
    expect(monitor(settled(), 'n', '10.0.0.7', '0')).toEqual(new ErrorReply('ERR Invalid port number.'));
  });

  it('takes a name only with resolve-hostnames, and not one whose look-up has failed', () => {
    const driver = settled();
    expect(monitor(driver, 'n', 'db.example')).toEqual(INVALID_HOST);
    driver.sentinel.settings.resolveHostnames = true;
    driver.input({ on: 'resolved', host: 'db.example', ip: null });
    expect(monitor(driver, 'n', 'db.example')).toEqual(INVALID_HOST);
    // What a refused command brought is not kept.
    expect(driver.sentinel.names.has('db.example')).toBe(false);
    driver.input({ on: 'resolved', host: 'db.example', ip: '10.0.0.7' });
    expect(monitor(driver, 'n', 'db.example')).toBe(OK);
    expect(driver.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'n')).toEqual(['10.0.0.7', '7']);
    for (const host of ['-a', 'a b', 'a,b', '1.2.3', 'a'.repeat(254)]) {
      expect(monitor(driver, 'o', host)).toEqual(INVALID_HOST);
    }
  });

  it('does not give a vote twice in one epoch to a master that was removed and is back', () => {
    const driver = settled();
    const ask = (candidate: string) =>
      driver.command('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '10.0.0.1', '1', '9', candidate);
    expect(ask(PEER_B)).toEqual([0, PEER_B, 9]);
    driver.command('SENTINEL', 'REMOVE', 'm');
    monitor(driver, 'm', '10.0.0.1', '1', '2');
    expect(ask(PEER_C)).toEqual([0, '*', 9]);
  });
});

describe('SENTINEL REMOVE', () => {
  it('ends the watch and its connections', () => {
    const driver = settled();
    expect(driver.command('SENTINEL', 'REMOVE', 'm')).toBe(OK);
    expect(driver.events).toContain('-monitor master m 10.0.0.1 1');
    expect(driver.sentinel.links.size).toBe(0);
    expect(driver.sentinel.conns.size).toBe(0);
    expect(driver.snapshots.at(-1)?.masters).toEqual([]);
    driver.advance(60_000);
  });
});

describe('SENTINEL RESET', () => {
  it('counts the masters whose names match, and finds everything anew', () => {
    const driver = settled();
    monitor(driver, 'mm');
    expect(driver.command('SENTINEL', 'RESET', 'm')).toBe(1);
    expect(driver.events).toContain('+reset-master master m 10.0.0.1 1');
    expect(driver.command('SENTINEL', 'RESET', 'm*')).toBe(2);
    expect(driver.command('SENTINEL', 'RESET', 'M*')).toBe(0);
    driver.advance(2_000);
    expect(driver.group.replicas.size).toBe(2);
  });

  it('keeps the replica that was promoted already: its epoch is told to others', () => {
    const driver = settled();
    // The third does not get its link to the new master up: the failover stays in its last phase.
    driver.fake(3).linkUp = false;
    driver.kill(1);
    for (let ms = 0; ms < 3_000 && driver.group.failover?.phase !== 'reconf'; ms++) driver.advance(1);
    expect(driver.group.failover).toMatchObject({ phase: 'reconf', switched: false });
    const epoch = driver.group.configEpoch;
    driver.command('SENTINEL', 'RESET', 'm');
    expect(driver.group).toMatchObject({ configEpoch: epoch, failover: null });
    expect(driver.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'm')).toEqual(['10.0.0.1', '2']);
    expect(driver.snapshots.at(-1)?.masters[0]).toMatchObject({ port: 2, configEpoch: epoch });
  });
});
