/** What a tanist.yml says about where its agents are asked. */
import { readFileSync } from 'node:fs';
import { errorText } from '../base/error-text.js';
import { placeName } from '../base/place.js';
import { ConfigError } from '../config/config-error.js';
import { configForHost, isOneMachine } from '../config/tanist/for-host.js';
import type { TanistConfig } from '../config/tanist/model.js';
import { readTanistConfig } from '../config/tanist/read.js';
import { isWildcard } from '../config/tanist/read-listen.js';
import { SettingsError } from './settings-error.js';

export interface Target {
  /** Of the agents, the nearest first. */
  readonly urls: readonly string[];
  readonly token: string | null;
}

/** @throws {SettingsError} when the file cannot be read, or is refused */
export function readTarget(file: string): Target {
  let config: TanistConfig;
  try {
    config = readTanistConfig(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof ConfigError) throw new SettingsError(error.format());
    throw new SettingsError(errorText(error));
  }
  return { urls: urlsOf(config), token: config.api.token?.value ?? null };
}

/** Every agent that can be reached from here: this host's own first, since it is asked on loopback. */
export function urlsOf(config: TanistConfig): string[] {
  const { host, port } = config.api;
  const places = isOneMachine(config)
    ? config.hosts.map(({ name }) => configForHost(config, name).api)
    : isWildcard(host)
      ? ['127.0.0.1', ...config.hosts.map(({ address }) => address)].map((each) => ({ host: each, port }))
      : [config.api];
  return places.map((place) => `http://${placeName(place)}`);
}
