import { describe, expect, it } from 'vitest';
import { SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { ErrorReply, MapReply, OK, type Reply } from '../../redis/reply.js';
import { step } from '../core/step.js';
import { sentinelSection } from './info-section.js';
import { questionsBefore } from './questions.js';

function settled(): SentinelDriver {
  const driver = new SentinelDriver();
  driver.advance(5_000);
  return driver;
}

function config(driver: SentinelDriver, ...args: string[]): Reply {
  return driver.command('SENTINEL', 'CONFIG', ...args);
}

describe('SENTINEL CONFIG', () => {
  it('sets several at once and keeps them', () => {
    const driver = settled();
    expect(config(driver, 'SET', 'announce-port', '77', 'Announce-IP', '10.9.9.9')).toBe(OK);
    expect(driver.snapshots.at(-1)).toMatchObject({ announcePort: 77, announceIp: '10.9.9.9' });
    const shown = config(driver, 'GET', 'announce-p*', 'nosuch', 'ANNOUNCE-IP');
    expect(shown).toEqual(
      new MapReply([
        ['announce-ip', '10.9.9.9'],
        ['announce-port', '77'],
      ]),
    );
  });

  it.each([
    [['announce-port', '78', 'announce-port', '79'], "ERR Duplicate argument 'announce-port' to SENTINEL CONFIG SET"],
    [['announce-port', '78', 'announce-ip'], "ERR Missing argument 'announce-ip' value"],
    [['announce-port', '78', 'x', 'y'], "ERR Invalid argument 'x' to SENTINEL CONFIG SET"],
    [['announce-port', '78', 'loglevel', 'loud'], "ERR Invalid value 'loud' to SENTINEL CONFIG SET 'loglevel'"],
    [['announce-ip', 'a,b'], "ERR Invalid value 'a,b' to SENTINEL CONFIG SET 'announce-ip'"],
    [['announce-ip', '256.1.1.1'], "ERR Invalid value '256.1.1.1' to SENTINEL CONFIG SET 'announce-ip'"],
  ])('changes nothing by %j', (args, error) => {
    const driver = settled();
    expect(config(driver, 'SET', ...args)).toEqual(new ErrorReply(error));
    expect(driver.sentinel.settings).toMatchObject({ announcePort: 10, announceIp: '10.0.0.2' });
  });

  it('hands the log level to the runner before the state is written', () => {
    const driver = settled();
    const args = ['SENTINEL', 'CONFIG', 'SET', 'loglevel', 'NOTHING'];
    const effects = step(driver.sentinel, driver.now, { on: 'command', client: 1, args });
    expect(effects.map(({ act }) => act)).toEqual(['set-verbosity', 'persist', 'answer']);
    expect(effects[0]).toMatchObject({ verbosity: 'nothing' });
    expect(config(driver, 'GET', 'loglevel')).toEqual(new MapReply([['loglevel', 'nothing']]));
  });

  it('opens the connections to other Sentinels anew with new credentials', () => {
    const driver = settled();
    const [peer] = driver.group.sentinels.values();
    const masterBefore = driver.group.master.link.command.id;
    const before = peer?.link.command.id;
    config(driver, 'SET', 'sentinel-pass', 'secret');
    expect(peer?.link.command.id).not.toBe(before);
    expect(driver.group.master.link.command.id).toBe(masterBefore);
  });
});

describe('SENTINEL DEBUG', () => {
  it('refuses to change the protocol and says what is fixed', () => {
    const driver = settled();
    expect(driver.command('SENTINEL', 'DEBUG', 'info-period', '2000')).toEqual(
      new ErrorReply("ERR SENTINEL DEBUG 'info-period' is fixed at 10000 ms"),
    );
    expect(driver.command('SENTINEL', 'DEBUG', 'info-period')).toBeInstanceOf(ErrorReply);
  });
});

describe('SENTINEL SIMULATE-FAILURE', () => {
  it('replaces what was set before, and shows in INFO', () => {
    const driver = settled();
    const flags = () => /failure_flags:(\d)/.exec(section(driver))?.[1];
    driver.command('SENTINEL', 'SIMULATE-FAILURE', 'crash-after-promotion', 'CRASH-AFTER-ELECTION');
    expect(flags()).toBe('3');
    driver.command('SENTINEL', 'SIMULATE-FAILURE', 'crash-after-promotion');
    expect(flags()).toBe('2');
    driver.command('SENTINEL', 'SIMULATE-FAILURE', 'crash-after-election', 'nosuch');
    expect(flags()).toBe('2');
    driver.command('SENTINEL', 'SIMULATE-FAILURE', 'help');
    expect(flags()).toBe('0');
  });
});

function section(driver: SentinelDriver): string {
  return sentinelSection(driver.sentinel, driver.now, { running: 2, queued: 5 });
}

describe('the # Sentinel section', () => {
  it('shows scripts, TILT and the state of each master', () => {
    const driver = settled();
    driver.kill(1);
    driver.advance(1_500);
    driver.sentinel.tiltSince = driver.now - 3_500.5;
    expect(section(driver).split('\r\n')).toEqual([
      '# Sentinel',
      'sentinel_masters:1',
      'sentinel_tilt:1',
      'sentinel_tilt_since_seconds:3',
      'sentinel_running_scripts:2',
      'sentinel_scripts_queue_length:5',
      'sentinel_simulate_failure_flags:0',
      'master0:name=m,status=sdown,address=10.0.0.1:1,slaves=2,sentinels=3',
      '',
    ]);
  });
});

describe('questionsBefore', () => {
  const ask = (driver: SentinelDriver, command: string) => questionsBefore(driver.sentinel, command.split(' '));

  it('has none for most commands', () => {
    const driver = settled();
    for (const command of ['PING', 'SENTINEL', 'SENTINEL MASTERS', 'SENTINEL MONITOR n 10.0.0.1 1 1']) {
      expect(ask(driver, command)).toEqual([]);
    }
  });

  it('asks for the address of a name that is to be watched', () => {
    const driver = settled();
    expect(ask(driver, 'SENTINEL MONITOR n db.example 1 1')).toEqual([]);
    driver.sentinel.settings.resolveHostnames = true;
    expect(ask(driver, 'sentinel monitor n db.example 1 1')).toEqual([{ about: 'name', host: 'db.example' }]);
    expect(ask(driver, 'SENTINEL MONITOR n db,example 1 1')).toEqual([]);
    driver.input({ on: 'resolved', host: 'db.example', ip: '10.0.0.8' });
    expect(ask(driver, 'SENTINEL MONITOR n db.example 1 1')).toEqual([]);
  });

  it('asks whether scripts can be run, where they may be set at all', () => {
    const driver = settled();
    const command = 'SENTINEL SET m quorum 2 notification-script /a client-reconfig-script /b';
    expect(ask(driver, command)).toEqual([]);
    driver.sentinel.settings.denyScriptsReconfig = false;
    expect(ask(driver, command).map((question) => (question.about === 'program' ? question.path : ''))).toEqual([
      '/a',
      '/b',
    ]);
    expect(ask(driver, command.replace(' m ', ' nosuch '))).toEqual([]);
  });
});
