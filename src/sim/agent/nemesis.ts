/** The faults of a world of agents. */
import { FaultSchedule } from '../fault-schedule.js';
import type { AgentHost } from './agent-host.js';
import { type AgentFaultName, agentFaultNames } from './faults.js';
import type { ManagedRedis, Survives } from './host.js';
import { STRIKES } from './strikes.js';
import type { AgentWorld } from './world.js';

export class AgentNemesis extends FaultSchedule<AgentWorld> {
  begin(): void {
    const acts = agentFaultNames(this.world.plan.faults).flatMap((name) => ACTS[name] ?? []);
    this.makeFaults(
      acts.map((act) => () => act(this)),
      this.world.plan.faultGap_ms,
    );
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
    if (!process.alive) return;
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

  freezeAgent({ agent, name }: AgentHost, length_ms: number): void {
    if (!agent.alive) return;
    const { life } = agent;
    this.note(`the agent of ${name} is stopped for ${length_ms} ms`);
    agent.gate.close();
    this.undoAfter(length_ms, () => {
      if (!agent.alive || agent.life !== life) return;
      this.note(`the agent of ${name} goes on`);
      agent.disturbedAt = this.world.loop.now;
      agent.gate.open();
    });
  }

  /** The agent ends as told, and is started again. */
  restartAgent(host: AgentHost): void {
    const { agent, name } = host;
    if (!agent.alive || agent.gate.closed) return;
    this.note(`the agent of ${name} is told to end`);
    agent.stop(() => this.undoAfter(this.draw(20, 3_000), () => startAgent(this, host)));
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

function startAgent(nemesis: AgentNemesis, host: AgentHost): void {
  if (host.agent.alive || !host.host.up) return;
  nemesis.note(`the agent of ${host.name} starts`);
  host.agent.start();
}

const ACTS: Readonly<Partial<Record<AgentFaultName, (nemesis: AgentNemesis) => void>>> = {
  ...STRIKES,
  killAgent: (nemesis) => {
    const host = nemesis.host();
    if (!host.agent.alive) return;
    nemesis.note(`the agent of ${host.name} is killed`);
    host.agent.crash(false);
    nemesis.undoAfter(nemesis.draw(50, 6_000), () => startAgent(nemesis, host));
  },
  freezeAgent: (nemesis) => nemesis.freezeAgent(nemesis.host(), nemesis.draw(50, 6_000)),
  restartAgent: (nemesis) => nemesis.restartAgent(nemesis.host()),
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
  partition: (nemesis) => nemesis.partition(0.4, nemesis.draw(300, 8_000)),
  cutPair: (nemesis) => {
    const [a, b] = [nemesis.host().host, nemesis.host().host];
    if (a === b) return;
    const length_ms = nemesis.draw(300, 8_000);
    nemesis.note(`${a.ip} and ${b.ip} do not hear each other for ${length_ms} ms`);
    nemesis.cut([a], [b], length_ms);
    nemesis.cut([b], [a], length_ms);
  },
  oneWayCut: (nemesis) => nemesis.cutOneWay(nemesis.host().host, nemesis.draw(300, 8_000)),
  slowNetwork: (nemesis) => {
    const { prng } = nemesis;
    nemesis.slowNetwork(prng.pick([5, 50, 300, 1_500]), prng.pick([0, 10, 100]), prng.between(500, 8_000));
  },
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
  if (force) world.forcedAt.set(group.name, world.loop.now);
  if (leading !== undefined && (!force || prng.chance(0.5))) {
    return leading.agent.switchOver(group.name, to, force, () => undefined);
  }
  const { agent, name } = nemesis.host();
  if (!force || !agent.alive) return;
  world.handOvers.begins(group.name);
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
