/** What deploy/README.md says of the service, looked at on a host that runs it. The tutorial has been followed before. */
import { until } from '../../support/until.js';
import type { BootedHost } from './booted-host.js';
import type { Findings } from './findings.js';
import { ready } from './walk.js';

const UNITS = ['tanist', 'tanist-sentinel', 'tanist-proxy', 'tanist-vrrp'];
const EXPOSURE_MAX = 2.5;
const PID_FILE = '/var/lib/tanist/mymaster.redis.pid';

export async function lookAtService(hosts: readonly BootedHost[], findings: Findings): Promise<void> {
  const [a, b] = hosts;
  if (a === undefined || b === undefined) throw new Error('the service is looked at on two hosts');
  await atUnits(a, findings);
  await atStatus(a, findings);
  await atRestart(a, findings);
  await atFreeze(a, findings);
  await atStop(a, findings);
  await atPowerOff(hosts, findings);
}

async function property(host: BootedHost, name: string): Promise<string> {
  return host.must(`systemctl show -P ${name} tanist`);
}

async function wellAgain(host: BootedHost): Promise<void> {
  await until(() => ready(host), { what: 'the cluster to be well', deadline_ms: 60_000, interval_ms: 500 });
}

async function atUnits(host: BootedHost, findings: Findings): Promise<void> {
  await host.must('cp /opt/tanist/deploy/*.service /etc/systemd/system/ && systemctl daemon-reload');
  for (const unit of UNITS) {
    const verified = await host.run(`systemd-analyze verify --man=no /etc/systemd/system/${unit}.service`);
    findings.check(
      `${unit}.service is understood`,
      verified.code === 0 && verified.text === '',
      verified.text || 'whole',
    );
    const { text } = await host.run(`systemd-analyze security --no-pager ${unit} | tail -1`);
    const exposure = Number(/(\d+\.\d+)/.exec(text)?.[1]);
    // Runs other people's scripts as root.
    const limit = unit === 'tanist-vrrp' ? 10 : EXPOSURE_MAX;
    findings.check(`${unit}.service is exposed by ${limit} of 10 at most`, exposure <= limit, text.replace(/^\W+/, ''));
  }
}

async function atStatus(host: BootedHost, findings: Findings): Promise<void> {
  const status = await host.must('systemctl status --no-pager -n3 tanist');
  findings.heard(host.host.name, 'systemctl status tanist', status);
  findings.check(
    'the status line tells the role',
    /Status: "mymaster: \w+"/.test(status),
    await property(host, 'StatusText'),
  );
  const order = 'journalctl -o json --no-pager -u tanist | grep -oE \'"PRIORITY":"[0-9]"\' | sort | uniq -c';
  const levels = (await host.must(order)).replaceAll(/\s+/g, ' ');
  findings.check('the journal has levels', levels.includes('"4"') && levels.includes('"5"'), levels);
  const journal = await host.must('journalctl --no-pager -o cat -u tanist');
  const refused = journal.split('\n').filter((line) => /EPERM|EACCES|not permitted|denied/i.test(line));
  // A machine that may not raise this limit leaves the router without real-time scheduling.
  const limit = await host.must('grep "Max realtime priority" /proc/$(systemctl show -P MainPID tanist)/limits');
  const meant = refused.filter((line) => /real-time/.test(line) && / 0 +0 *$/.test(limit));
  findings.check(
    'nothing is refused by the hardening',
    refused.length === meant.length,
    refused.join('; ') || 'nothing',
  );
}

async function atRestart(host: BootedHost, findings: Findings): Promise<void> {
  const redis = await host.must(`cat ${PID_FILE}`);
  // Until READY=1 the start is not over: the line before it in the journal is older than the state.
  await host.must('systemctl restart tanist');
  const state = await property(host, 'ActiveState');
  const said = await host.must('journalctl --no-pager -o cat -u tanist -n 40');
  findings.check('a restart ends when the agent is ready', state === 'active' && / Ready: /.test(said), state);
  const after = await host.must(`cat ${PID_FILE}`);
  findings.check('Redis outlives a restart, and is adopted', after === redis, `pid ${redis}, then ${after}`);
  await wellAgain(host);
}

async function atFreeze(host: BootedHost, findings: Findings): Promise<void> {
  const redis = await host.must(`cat ${PID_FILE}`);
  const agent = await property(host, 'MainPID');
  const began = performance.now();
  await host.must(`kill -STOP ${agent}`);
  const isNew = async (): Promise<boolean> => !['0', agent].includes(await property(host, 'MainPID'));
  await until(isNew, { what: 'the watchdog', deadline_ms: 40_000, interval_ms: 200 });
  const took_s = ((performance.now() - began) / 1000).toFixed(1);
  await wellAgain(host);
  const after = await host.must(`cat ${PID_FILE}`);
  findings.check('a frozen agent is ended and started again', after === redis, `after ${took_s} s; Redis went on`);
}

async function atStop(host: BootedHost, findings: Findings): Promise<void> {
  await host.must('systemctl stop tanist');
  const group = await host.must('cat /sys/fs/cgroup/system.slice/tanist.service/cgroup.procs');
  const left = group.trim().split('\n');
  const commands = await Promise.all(left.map((pid) => host.must(`tr '\\0' ' ' < /proc/${pid}/cmdline`)));
  const redis = (await host.must(`cat ${PID_FILE}`)).trim();
  const isExpected = left.every((pid, i) => pid === redis || commands[i]?.includes('proxy-process'));
  findings.check(
    'a stop leaves Redis and the proxy, alone in the unit',
    left.length === 2 && left.includes(redis) && isExpected,
    `pids ${left.join(' and ')}`,
  );
  const role = await host.must('export REDISCLI_AUTH=choose-a-long-one; redis-cli info replication | grep role');
  findings.check('as a replica', role.includes('slave'), role.trim());
  await host.must('systemctl start tanist');
  await wellAgain(host);
}

/** The master's host goes down as for a reboot. */
async function atPowerOff(hosts: readonly BootedHost[], findings: Findings): Promise<void> {
  const status = await hosts[0]?.must('tanist status');
  const [, name] = /^(\w+) .* master {3}master /m.exec(status ?? '') ?? [];
  const master = hosts.find(({ host }) => host.name === name);
  const other = hosts.find(({ host }) => host.name !== name);
  if (master === undefined || other === undefined) throw new Error(`no master is seen:\n${status}`);
  const began = performance.now();
  await master.run('systemctl poweroff');
  await until(() => !master.runs, { what: `${name} to be off`, deadline_ms: 60_000 });
  const took_s = ((performance.now() - began) / 1000).toFixed(1);
  const { text } = await other.run('tanist history');
  const changed =
    /switchover .*/.exec(text.split('\n').at(-1) ?? '') ?? text.match(/switchover .*|failover .*/g)?.at(-1);
  findings.check(
    'a host that is shut down leaves another one leading',
    changed !== undefined,
    `off after ${took_s} s; ${changed}`,
  );
}
