/** Runs the real redis-sentinel on a configuration text, for tests. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why these tests cannot run here; empty when they can. */
export const missingRedis = spawnSync('redis-server', ['--version']).status === 0 ? '' : 'no redis-server on PATH';

const DEADLINE_ms = 20_000;

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export class RealSentinel {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tanist-real-'));
  #process: ChildProcess | null = null;
  #output = '';

  readonly file = join(this.#directory, 'sentinel.conf');

  get output(): string {
    return this.#output;
  }

  get text(): string {
    return readFileSync(this.file, 'utf8');
  }

  /** Starts it and waits until it has answered to PING. @throws when it refuses its file. */
  async start(text: string, port: number): Promise<void> {
    writeFileSync(this.file, text);
    this.#output = '';
    const child = spawn('redis-server', [this.file, '--sentinel'], { cwd: this.#directory });
    this.#process = child;
    child.stdout.on('data', (data) => {
      this.#output += String(data);
    });
    child.stderr.on('data', (data) => {
      this.#output += String(data);
    });
    const deadline = performance.now() + DEADLINE_ms;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`redis-sentinel refused its file:\n${this.#output}`);
      if (await answers(port)) return;
      if (performance.now() > deadline) throw new Error(`redis-sentinel does not answer:\n${this.#output}`);
    }
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function answers(port: number): Promise<boolean> {
  const socket: Socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [reply] = await once(socket, 'data');
    return String(reply).startsWith('+PONG') || String(reply).startsWith('-NOAUTH');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Sends one command with redis-cli and gives its raw output. */
export function redisCli(port: number, args: readonly string[]): string {
  return spawnSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8', timeout: DEADLINE_ms }).stdout;
}
