/**
 * Stands in for an agent: keeps the VIPs of one host as it is told over a socket, and says what happens.
 *
 *     vip-agent.mjs HOST CONFIG.json SOCKET [LIFETIME_S]
 *
 * A line on the socket is an order: `lend GROUP TTL_MS` (and renew it every quarter), `once GROUP MS` (lend, do not renew),
 * `revoke GROUP REASON`, `sleep` (start some other process), `stop`. Times are of CLOCK_MONOTONIC in ms, which all processes of the machine share.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

// By address, so that this file can be checked before anything is built.
const built = (/** @type {string} */ path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const { AmbientRights } = await built('net/ambient-rights.js');
const { planVips } = await built('vrrp/from-tanist.js');
const { thisHost, vipRightsFault } = await built('vrrp/host-facts.js');
const { VipKeeper } = await built('vrrp/run/vip-keeper.js');

const [host = '', file = '', socket = '', lifetime] = process.argv.slice(2);
const say = (/** @type {string} */ text) =>
  process.stdout.write(`${(Number(process.hrtime.bigint()) / 1e6).toFixed(3)} ${text}\n`);

const fault = vipRightsFault();
if (fault !== null) {
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
let plan = planVips(JSON.parse(readFileSync(file, 'utf8')), host, thisHost);
if (lifetime !== undefined) {
  const instances = plan.router.instances.map((/** @type {object} */ i) => ({ ...i, vipLifetime_s: Number(lifetime) }));
  plan = { ...plan, router: { ...plan.router, instances } };
}
const keeper = new VipKeeper(
  plan,
  {
    held: (/** @type {string} */ group, /** @type {boolean} */ held) => say(`held ${group} ${held}`),
    role: (/** @type {string} */ group, /** @type {string} */ role, /** @type {string} */ reason) =>
      say(`role ${group} ${role}: ${reason}`),
    givenUp: () => say('given up'),
  },
  (/** @type {string} */ level, /** @type {string | null} */ instance, /** @type {string} */ message) =>
    say(`${level} (${instance}) ${message}`),
  new AmbientRights(),
);
/** @type {Map<string, NodeJS.Timeout>} */
const renewals = new Map();
const lend = (/** @type {string} */ group, /** @type {number} */ ms) =>
  keeper.grant(group, process.hrtime.bigint() + BigInt(Math.round(ms * 1e6)));
/** @type {Record<string, (group: string, ...words: string[]) => void>} */
const orders = {
  lend(group, ttl) {
    clearInterval(renewals.get(group));
    say(`lends ${group}`);
    lend(group, Number(ttl));
    renewals.set(
      group,
      setInterval(() => lend(group, Number(ttl)), Number(ttl) / 4),
    );
  },
  once(group, ms) {
    clearInterval(renewals.get(group));
    say(`lends ${group}`);
    lend(group, Number(ms));
  },
  revoke(group, ...reason) {
    clearInterval(renewals.get(group));
    say(`revokes ${group}`);
    keeper.revoke(group, reason.join(' '));
  },
  sleep() {
    say(`sleeper ${spawn('sleep', ['60'], { stdio: 'ignore' }).pid}`);
  },
  stop() {
    say('stops');
    void keeper.stop().then(() => process.exit(0));
  },
};
createServer((connection) => {
  let rest = '';
  connection.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [order = '', group = '', ...words] = line.split(' ');
      orders[order]?.(group, ...words);
    }
  });
}).listen(socket, () => {
  keeper.start();
  say(`router ${keeper.routerPid}`);
});
