/**
 * What the service manager (systemd) is told: the protocol of sd_notify(3), one datagram a message. Where nobody asks to be
 * told, nothing happens and nothing is loaded.
 */
import { errorText } from '../base/error-text.js';
import type { SystemError } from './libc.js';

export interface ServiceManager {
  /** The service serves, for the first time or again after `reloading`. @param status one line, for `systemctl status` */
  ready(status: string): void;
  /** What it is at, in one line. */
  status(text: string): void;
  /** It reads its configuration anew; `ready` ends that. */
  reloading(): void;
  /** It ends. Nothing may be told afterwards. */
  stopping(status: string): void;
}

/** Told to nobody. */
const NOBODY: ServiceManager = {
  ready: () => undefined,
  status: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
};

/** sun_path of `struct sockaddr_un`. */
const PATH_MAX_BYTES = 108;

/**
 * Finds out from the environment whom to tell, and takes that out of it: what this process starts is no service. Where a
 * watchdog is asked for, it is fed from then on, for as long as this process heeds its timers.
 * @param report told, once each, why something could not be told
 */
export async function serviceManager(
  report: (trouble: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ServiceManager> {
  const { NOTIFY_SOCKET: path, WATCHDOG_USEC: watchdog_us, WATCHDOG_PID: watchdogPid } = env;
  delete env['NOTIFY_SOCKET'];
  delete env['WATCHDOG_USEC'];
  delete env['WATCHDOG_PID'];
  if (path === undefined || path === '') return NOBODY;
  const address = sockaddrUn(path);
  if (address === null) {
    report(`the service manager cannot be told anything: NOTIFY_SOCKET is ${path}, which is no socket's path`);
    return NOBODY;
  }
  try {
    const manager = new Systemd(await openDatagrams(), address, report);
    const forUs = watchdogPid === undefined || watchdogPid === String(process.pid);
    if (forUs && Number(watchdog_us) > 0) manager.feedWatchdog(Number(watchdog_us) / 1000);
    return manager;
  } catch (error) {
    report(`the service manager cannot be told anything: ${errorText(error)}`);
    return NOBODY;
  }
}

/** Sends one datagram to an address. @throws {SystemError} */
type Datagrams = (address: Uint8Array, text: string) => void;

class Systemd implements ServiceManager {
  readonly #send: Datagrams;
  readonly #address: Uint8Array;
  readonly #report: (trouble: string) => void;
  #troubled = false;

  constructor(send: Datagrams, address: Uint8Array, report: (trouble: string) => void) {
    this.#send = send;
    this.#address = address;
    this.#report = report;
  }

  ready(status: string): void {
    this.#tell(`READY=1\nSTATUS=${oneLine(status)}`);
  }

  status(text: string): void {
    this.#tell(`STATUS=${oneLine(text)}`);
  }

  reloading(): void {
    // Type=notify-reload tells by the time that this answers its signal, and not an earlier one.
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(status: string): void {
    this.#tell(`STOPPING=1\nSTATUS=${oneLine(status)}`);
  }

  /** Half of the limit is what sd_watchdog_enabled(3) advises. */
  feedWatchdog(limit_ms: number): void {
    this.#tell('WATCHDOG=1');
    setInterval(() => this.#tell('WATCHDOG=1'), limit_ms / 2).unref();
  }

  #tell(text: string): void {
    try {
      this.#send(this.#address, text);
      this.#troubled = false;
    } catch (error) {
      const { message } = error as SystemError;
      if (!this.#troubled) this.#report(`the service manager could not be told ${text.split('\n')[0]}: ${message}`);
      this.#troubled = true;
    }
  }
}

/** A socket for datagrams, opened through libc, which Node has none for. */
async function openDatagrams(): Promise<Datagrams> {
  const { sendto, socket } = await import('./libc.js');
  const AF_UNIX = 1;
  const SOCK_DGRAM = 2;
  const SOCK_CLOEXEC = 0o2000000;
  const SOCK_NONBLOCK = 0o4000;
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 'NOTIFY_SOCKET');
  return (address, text) => void sendto(fd, new TextEncoder().encode(text), address, 'NOTIFY_SOCKET');
}

/** `struct sockaddr_un`; a name that begins with `@` is abstract (unix(7)): a zero byte in its place. */
function sockaddrUn(path: string): Uint8Array | null {
  const abstract = path.startsWith('@');
  if (!abstract && !path.startsWith('/')) return null;
  const name = new TextEncoder().encode(abstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > PATH_MAX_BYTES) return null;
  return Uint8Array.from([1, 0, ...name]);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, '; ');
}
