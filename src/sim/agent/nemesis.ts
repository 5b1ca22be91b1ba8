/** Makes faults happen to hosts and agents, and takes them back: each after a while, all of them when the world is to heal. */
import type { Prng } from '../../base/prng.js';
import type { Host } from '../network.js';
import type { AgentHost } from './agent-host.js';
import { type AgentFaultName, agentFaultNames } from './faults.js';
import type { ManagedRedis, Survives } from './host.js';
import type { AgentWorld } from './world.js';

type Undo = () => void;

export class AgentNemesis {
  readonly #undos = new Set<Undo>();
  #healed = false;

  constructor(
    readonly world: AgentWorld,
    readonly prng: Prng,
  ) {}

  begin(): void {
    const acts = agentFaultNames(this.world.plan.faults).flatMap((name) => ACTS[name] ?? []);
    if (acts.length === 0) return;
    const next = (): void => {
      if (this.#healed) return;
      this.prng.pick(acts)(this);
      this.world.loop.after(1 + this.prng.below(this.world.plan.faultGap_ms * 2), next);
    };
    next();
  }

  heal(): void {
    this.#healed = true;
    this.world.note(1, '*', () => 'all faults are healed');
    while (this.#undos.size > 0) {
      for (const undo of [...this.#undos]) {
        this.#undos.delete(undo);
        undo();
      }
    }
  }

  undoAfter(delay_ms: number, undo: Undo): void {
    this.#undos.add(undo);
    this.world.loop.after(delay_ms, () => {
      if (this.#undos.delete(undo)) undo();
    });
  }

  note(text: string): void {
    this.world.note(1, '*', () => text);
  }

  /** Short mostly, sometimes long. */
  draw(low_ms: number, high_ms: number): number {
    return this.prng.chance(0.5) ? this.prng.between(low_ms, high_ms) : this.prng.between(low_ms, high_ms / 4);
  }

  host(): AgentHost {
    return this.prng.pick(this.world.hosts);
  }

  redis(): ManagedRedis | null {
    const all = this.world.hosts.flatMap(({ redises }) => [...redises.values()]).filter(({ process }) => process.alive);
    return all.length === 0 ? null : this.prng.pick(all);
  }

  survives(): Survives {
    if (!this.world.plan.faults.loseData) return 'log';
    return this.prng.pick(['log', 'dump', 'nothing']);
  }

  kill(redis: ManagedRedis): void {
    const survives = this.survives();
    this.note(`${redis.name} (${redis.process.role}) is killed; what survives: ${survives}`);
    redis.kill(false, survives);
  }

  halt(redis: ManagedRedis, busy: boolean, length_ms: number): void {
    const { process } = redis;
    const { runId } = process;
    this.note(`${redis.name} (${process.role}) ${busy ? 'is busy' : 'is stopped'} for ${length_ms} ms`);
    process.gate.close();
    redis.busy = busy;
    this.undoAfter(length_ms, () => {
      if (!process.alive || process.runId !== runId) return;
      this.note(`${redis.name} goes on`);
      redis.disturbedAt = this.world.loop.now;
      process.gate.open();
    });
  }

  cut(from: readonly Host[], to: readonly Host[], length_ms: number): void {
    const { network } = this.world;
    for (const a of from) for (const b of to) network.cut(a, b);
    this.#trouble();
    this.undoAfter(length_ms, () => {
      for (const a of from) for (const b of to) network.mend(a, b);
      this.note(`the way from ${ips(from)} to ${ips(to)} is free again`);
      this.#trouble();
    });
  }

  #trouble(): void {
    this.world.networkTroubledAt = this.world.loop.now;
  }

  slow(): void {
    const { manners } = this.world.network;
    manners.slow_ms = this.prng.pick([5, 50, 300, 1_500]);
    manners.lostPerMille = this.prng.pick([0, 10, 100]);
    this.note(`the network delays by up to ${manners.slow_ms} ms and loses ${manners.lostPerMille} of 1000 packets`);
    this.#trouble();
    this.undoAfter(this.prng.between(500, 8_000), () => {
      manners.slow_ms = 0;
      manners.lostPerMille = 0;
      this.#trouble();
    });
  }

  unplug(host: AgentHost, length_ms: number): void {
    if (!host.host.up) return;
    this.note(`host ${host.name} is switched off`);
    host.unplug(() => this.survives());
    this.undoAfter(length_ms, () => {
      this.note(`host ${host.name} is back`);
      host.plugIn();
    });
  }
}

function ips(hosts: readonly Host[]): string {
  return hosts.map(({ ip }) => ip).join(' ');
}

function startAgent(nemesis: AgentNemesis, host: AgentHost): void {
  if (host.agent.alive || !host.host.up) return;
  nemesis.note(`the agent of ${host.name} starts`);
  host.agent.start();
}

const ACTS: Readonly<Partial<Record<AgentFaultName, (nemesis: AgentNemesis) => void>>> = {
  killAgent: (nemesis) => {
    const host = nemesis.host();
    if (!host.agent.alive) return;
    nemesis.note(`the agent of ${host.name} is killed`);
    host.agent.crash(false);
    nemesis.undoAfter(nemesis.draw(50, 6_000), () => startAgent(nemesis, host));
  },
  freezeAgent: (nemesis) => {
    const host = nemesis.host();
    const { agent } = host;
    if (!agent.alive) return;
    const length_ms = nemesis.draw(50, 6_000);
    const { life } = agent;
    nemesis.note(`the agent of ${host.name} is stopped for ${length_ms} ms`);
    agent.gate.close();
    nemesis.undoAfter(length_ms, () => {
      if (!agent.alive || agent.life !== life) return;
      nemesis.note(`the agent of ${host.name} goes on`);
      agent.disturbedAt = nemesis.world.loop.now;
      agent.gate.open();
    });
  },
  restartAgent: (nemesis) => {
    const host = nemesis.host();
    const { agent } = host;
    if (!agent.alive || agent.gate.closed) return;
    nemesis.note(`the agent of ${host.name} is told to end`);
    agent.stop(() => nemesis.undoAfter(nemesis.draw(20, 3_000), () => startAgent(nemesis, host)));
  },
  killRedis: (nemesis) => {
    const redis = nemesis.redis();
    if (redis !== null) nemesis.kill(redis);
  },
  killMaster: (nemesis) => {
    const redis = nemesis.redis();
    const master = nemesis.world.hosts
      .flatMap(({ redises }) => [...redises.values()])
      .find(({ group, process }) => group === redis?.group && process.alive && process.role === 'master');
    if (master !== undefined) nemesis.kill(master);
  },
  freezeRedis: (nemesis) => {
    const redis = nemesis.redis();
    if (redis !== null) nemesis.halt(redis, false, nemesis.draw(50, 5_000));
  },
  busyRedis: (nemesis) => {
    const redis = nemesis.redis();
    if (redis !== null) nemesis.halt(redis, true, nemesis.draw(50, 5_000));
  },
  killRouter: (nemesis) => {
    const host = nemesis.host();
    for (const [group, router] of host.routers) {
      if (!router.alive) continue;
      nemesis.note(`the router of ${host.name} is killed`);
      router.kill();
      host.agent.routerDied(group);
    }
  },
  freezeRouter: (nemesis) => {
    const host = nemesis.host();
    for (const router of host.routers.values()) {
      if (!router.alive) continue;
      const length_ms = nemesis.draw(20, 1_500);
      const { life } = router;
      nemesis.note(`the router of ${host.name} is stopped for ${length_ms} ms`);
      router.gate.close();
      nemesis.undoAfter(length_ms, () => {
        if (!router.alive || router.life !== life) return;
        router.disturbedAt = nemesis.world.loop.now;
        router.gate.open();
      });
    }
  },
  unplugHost: (nemesis) => nemesis.unplug(nemesis.host(), nemesis.draw(300, 6_000)),
  unplugAll: (nemesis) => {
    const length_ms = nemesis.draw(300, 4_000);
    for (const host of nemesis.world.hosts) nemesis.unplug(host, length_ms + nemesis.prng.below(1_500));
  },
  partition: (nemesis) => {
    const side: Host[] = [];
    const rest: Host[] = [];
    for (const host of nemesis.world.network.hosts) (nemesis.prng.chance(0.4) ? side : rest).push(host);
    const length_ms = nemesis.draw(300, 8_000);
    nemesis.note(`${ips(side)} are cut off from ${ips(rest)} for ${length_ms} ms`);
    nemesis.cut(side, rest, length_ms);
    nemesis.cut(rest, side, length_ms);
  },
  cutPair: (nemesis) => {
    const [a, b] = [nemesis.host().host, nemesis.host().host];
    if (a === b) return;
    const length_ms = nemesis.draw(300, 8_000);
    nemesis.note(`${a.ip} and ${b.ip} do not hear each other for ${length_ms} ms`);
    nemesis.cut([a], [b], length_ms);
    nemesis.cut([b], [a], length_ms);
  },
  oneWayCut: (nemesis) => {
    const from = nemesis.host().host;
    const to = nemesis.world.network.hosts.filter((host) => host !== from && nemesis.prng.chance(0.5));
    const length_ms = nemesis.draw(300, 8_000);
    const outward = nemesis.prng.chance(0.5);
    nemesis.note(
      `nothing gets from ${outward ? from.ip : ips(to)} to ${outward ? ips(to) : from.ip} for ${length_ms} ms`,
    );
    if (outward) nemesis.cut([from], to, length_ms);
    else nemesis.cut(to, [from], length_ms);
  },
  slowNetwork: (nemesis) => nemesis.slow(),
  slowDisk: (nemesis) => {
    const { agent, name } = nemesis.host();
    agent.manners.disk_ms = nemesis.prng.pick([10, 100, 1_000]);
    nemesis.note(`writes to the disk of ${name} take up to ${agent.manners.disk_ms} ms`);
    nemesis.undoAfter(nemesis.prng.between(500, 8_000), () => {
      agent.manners.disk_ms = 0;
      agent.disturbedAt = nemesis.world.loop.now;
    });
  },
  saveFails: (nemesis) => {
    const { world } = nemesis;
    world.saveFails = true;
    nemesis.note('nothing can be put aside');
    nemesis.undoAfter(nemesis.prng.between(500, 5_000), () => {
      world.saveFails = false;
    });
  },
  switchover: (nemesis) => change(nemesis, false),
  force: (nemesis) => change(nemesis, true),
  maintenance: (nemesis) => {
    const { name } = nemesis.prng.pick(nemesis.world.plan.groups);
    nemesis.note(`${name} is paused for maintenance`);
    setPaused(nemesis, name, 'on');
    nemesis.undoAfter(nemesis.draw(200, 5_000), () => {
      nemesis.note(`${name} is resumed`);
      setPaused(nemesis, name, 'off');
    });
  },
};

/** An operator asks for a switchover, on some host. */
function change(nemesis: AgentNemesis, force: boolean): void {
  const { world, prng } = nemesis;
  const group = prng.pick(world.plan.groups);
  const leading = world.hosts.find(({ agent }) => agent.rooms.get(group.name)?.keeper.state === 'master');
  const target = prng.pick(group.hosts);
  const to = prng.chance(0.5) || target === leading?.index ? null : world.placeOf(group, target);
  if (leading !== undefined && (!force || prng.chance(0.5))) {
    return leading.agent.switchOver(group.name, to, force, () => undefined);
  }
  const { agent, name } = nemesis.host();
  if (!force || !agent.alive) return;
  nemesis.note(`an operator forces a failover of ${group.name} on ${name}`);
  const target2 = to === null ? [] : ['TO', to.host, String(to.port)];
  agent.askOwn(['SENTINEL', 'FAILOVER', group.name, 'FORCE', ...target2], () => undefined);
}

/** Told to every agent that can be reached; repeated by the operator until all have heard. */
function setPaused(nemesis: AgentNemesis, group: string, value: 'on' | 'off'): void {
  for (const host of nemesis.world.hosts) tellPaused(nemesis, host, group, value, 0);
}

function tellPaused(nemesis: AgentNemesis, host: AgentHost, group: string, value: 'on' | 'off', tries: number): void {
  const { loop } = nemesis.world;
  if (host.agent.alive && !host.agent.gate.closed) {
    host.agent.askOwn(['SENTINEL', 'PAUSE', group, value], () => undefined);
  } else if (value === 'off' && tries < 100) {
    loop.after(200, () => tellPaused(nemesis, host, group, value, tries + 1));
  }
}
