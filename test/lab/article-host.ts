/** A lab host with its own /etc/keepalived, /var/log and programs, so that published scripts run as they are written. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Child } from '../support/child.js';
import { requirePeer } from '../support/peers.js';
import { tanistPath } from '../support/tanist.js';
import type { Host } from './host.js';
import type { RouterKind } from './vrrp-routers.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/keepalived', import.meta.url));

export interface Article {
  /** The keepalived.conf, as a name in test/fixtures/keepalived. */
  readonly config: string;
  /** The folder of scripts there, and where the article puts them, below /etc/keepalived. */
  readonly scripts?: { readonly from: string; readonly to: string };
  /** Where the article has its redis-cli. */
  readonly redisCli?: string;
  readonly password?: string;
  /** Changes the keepalived.conf before it is put in its place. */
  readonly amend?: (config: string) => string;
}

export class ArticleHost {
  readonly host: Host;
  readonly #root: string;
  readonly #article: Article;

  /** @param folder gets the host's files, in a folder of its own. */
  constructor(host: Host, folder: string, article: Article) {
    this.host = host;
    this.#article = article;
    this.#root = join(folder, host.name);
    for (const path of ['etc/keepalived', 'usr/bin', 'log', 'data'])
      mkdirSync(join(this.#root, path), { recursive: true });
    const config = readFileSync(join(FIXTURES, article.config), 'utf8');
    writeFileSync(join(this.#root, 'etc/keepalived/keepalived.conf'), article.amend?.(config) ?? config);
    if (article.scripts !== undefined)
      this.#install(join(FIXTURES, article.scripts.from), join(this.#root, 'etc/keepalived', article.scripts.to));
    if (article.redisCli !== undefined) {
      const link = join(this.#root, article.redisCli);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(requirePeer('redis-cli').path, link);
    }
    const stop = '#!/bin/sh\nkill -TERM "$(cat /var/log/keepalived.pid)"\n';
    writeFileSync(join(this.#root, 'usr/bin/systemctl'), stop, { mode: 0o755 });
  }

  startRedis(...directives: string[]): Child {
    const { password } = this.#article;
    const auth = password === undefined ? [] : ['--requirepass', password, '--masterauth', password];
    const usual = [
      '--port',
      '6379',
      '--bind',
      '0.0.0.0',
      '--protected-mode',
      'no',
      '--dir',
      join(this.#root, 'data'),
      '--save',
      '1 1',
    ];
    return this.host.start(requirePeer('redis-server').path, [...usual, ...auth, ...directives]);
  }

  /** `tanist vrrp` in keepalived's place, or keepalived itself. */
  startRouter(kind: RouterKind = 'tanist', env: Readonly<Record<string, string>> = {}): Child {
    const overlay = (name: string): string =>
      `mount -t overlay overlay -o lowerdir=${this.#root}/${name}:/${name} /${name}`;
    const prepare = `${overlay('usr')} && ${overlay('etc')} && mount --bind ${this.#root}/log /var/log && exec "$@"`;
    const config = ['-f', '/etc/keepalived/keepalived.conf', '-p', '/var/log/keepalived.pid', '-D'];
    // keepalived takes the pid file of a killed run for a running one when the number is in use again.
    for (const name of ['keepalived.pid', 'vrrp.pid']) rmSync(join(this.#root, 'log', name), { force: true });
    const run =
      kind === 'tanist'
        ? [process.execPath, tanistPath, 'vrrp', ...config]
        : [requirePeer('keepalived').path, '-n', '-l', '-P', '-r', '/var/log/vrrp.pid', ...config];
    return this.host.start('sh', ['-c', prepare, 'sh', ...run], env);
  }

  /** A command to a Redis, by redis-cli from this host; its output without the last line's end. */
  redis(at: string, ...command: string[]): string {
    const { password } = this.#article;
    const auth = password === undefined ? [] : ['--no-auth-warning', '-a', password];
    return this.host.exec(requirePeer('redis-cli').path, '-h', at, '-p', '6379', ...auth, ...command).trim();
  }

  /** `master` or `slave`, or null when the Redis does not answer. */
  role(at: string): string | null {
    try {
      return /role:(\w+)/.exec(this.redis(at, 'INFO', 'replication'))?.[1] ?? null;
    } catch {
      return null;
    }
  }

  /** A file of /var/log as the scripts see it. */
  log(name: string): string {
    try {
      return readFileSync(join(this.#root, 'log', name), 'utf8');
    } catch {
      return '';
    }
  }

  #install(from: string, to: string): void {
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from)) {
      copyFileSync(join(from, name), join(to, name));
      chmodSync(join(to, name), 0o755);
    }
  }
}
