/** The system calls this room needs, through koffi. Nothing outside src/net calls them. */
import { constants } from 'node:os';
import koffi from 'koffi';

/** A system call that failed. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  /** The errno name, e.g. `EPERM`. */
  readonly code: string;
  readonly syscall: string;

  /** @param what what was being done, in the user's words. */
  constructor(errno: number, syscall: string, what: string) {
    const code = errnoName(errno);
    super(`${what}: ${syscall}: ${code}`);
    this.code = code;
    this.syscall = syscall;
  }
}

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));
const { EAGAIN, EINTR } = constants.errno;

export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
}

const libc = koffi.load('libc.so.6');

const raw = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)'),
  sendto: libc.func(
    'long sendto(int fd, const void *data, size_t size, int flags, const void *address, uint32_t length)',
  ),
  recv: libc.func('long recv(int fd, void *data, size_t size, int flags)'),
  recvmsg: libc.func('long recvmsg(int fd, void *message, int flags)'),
  read: libc.func('long read(int fd, void *data, size_t size)'),
  write: libc.func('long write(int fd, const void *data, size_t size)'),
  close: libc.func('int close(int fd)'),
  memfd_create: libc.func('int memfd_create(const char *name, unsigned int flags)'),
  flock: libc.func('int flock(int fd, int operation)'),
  fcntl: libc.func('int fcntl(int fd, int command, int argument)'),
  ppoll: libc.func('int ppoll(void *fds, unsigned long count, const void *timeout, const void *mask)'),
  prctl: libc.func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)'),
  clock_gettime: libc.func('int clock_gettime(int clock, void *time)'),
  sched_setscheduler: libc.func('int sched_setscheduler(int pid, int policy, const void *param)'),
};

// errno is the calling thread's, and any other call may overwrite it: it is read in the same breath.
function checked(result: unknown, syscall: string, what: string): number {
  const value = Number(result);
  if (value >= 0) return value;
  throw new SystemError(koffi.errno(), syscall, what);
}

/** Like `checked`, but a call that would block or was interrupted gives null. */
function checkedOrLater(result: unknown, syscall: string, what: string): number | null {
  const value = Number(result);
  if (value >= 0) return value;
  const errno = koffi.errno();
  if (errno === EAGAIN || errno === EINTR) return null;
  throw new SystemError(errno, syscall, what);
}

/** @throws {SystemError} as all of these do. */
export function socket(domain: number, type: number, protocol: number, what: string): number {
  return checked(raw.socket(domain, type, protocol), 'socket', what);
}

export function bind(fd: number, address: Uint8Array, what: string): void {
  checked(raw.bind(fd, address, address.length), 'bind', what);
}

export function setsockopt(fd: number, level: number, option: number, value: Uint8Array | number, what: string): void {
  const bytes = typeof value === 'number' ? int32(value) : value;
  checked(raw.setsockopt(fd, level, option, bytes, bytes.length), 'setsockopt', what);
}

export function sendto(fd: number, data: Uint8Array, address: Uint8Array | null, what: string): number {
  const sent = raw.sendto(fd, data, data.length, 0, address, address?.length ?? 0);
  return checked(sent, 'sendto', what);
}

/** Bytes received, or null when nothing is there. */
export function recv(fd: number, into: Uint8Array, what: string): number | null {
  return checkedOrLater(raw.recv(fd, into, into.length, 0), 'recv', what);
}

export function read(fd: number, into: Uint8Array, what: string): number | null {
  return checkedOrLater(raw.read(fd, into, into.length), 'read', what);
}

export function write(fd: number, data: Uint8Array, what: string): number | null {
  return checkedOrLater(raw.write(fd, data, data.length), 'write', what);
}

export function close(fd: number): void {
  raw.close(fd);
}

export function setNonBlocking(fd: number): void {
  const F_GETFL = 3;
  const F_SETFL = 4;
  const O_NONBLOCK = 0o4000;
  const flags = checked(raw.fcntl(fd, F_GETFL, 0), 'fcntl', `file descriptor ${fd}`);
  checked(raw.fcntl(fd, F_SETFL, flags | O_NONBLOCK), 'fcntl', `file descriptor ${fd}`);
}

/** An empty file in memory without a path; closed in programs that are started. */
export function memfdCreate(name: string, what: string): number {
  const MFD_CLOEXEC = 1;
  return checked(raw.memfd_create(name, MFD_CLOEXEC), 'memfd_create', what);
}

/** Takes the exclusive lock of a file at once; false when another has it. */
export function flock(fd: number, what: string): boolean {
  const LOCK_EX = 2;
  const LOCK_NB = 4;
  return checkedOrLater(raw.flock(fd, LOCK_EX | LOCK_NB), 'flock', what) !== null;
}

/** `ppoll` on an array of `struct pollfd`; null when a signal came first. */
export function ppoll(fds: Uint8Array, timeout: Uint8Array | null): number | null {
  return checkedOrLater(raw.ppoll(fds, fds.length / 8, timeout, null), 'ppoll', 'waiting for packets');
}

/**
 * Puts this process first on its CPU (SCHED_FIFO), its children not. Needs CAP_SYS_NICE.
 * @throws {SystemError} EPERM without it.
 */
export function setRealtime(priority: number): void {
  const SCHED_FIFO = 1;
  const SCHED_RESET_ON_FORK = 0x4000_0000;
  const result = raw.sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, int32(priority));
  checked(result, 'sched_setscheduler', 'real-time scheduling');
}

/** Reads a clock into `struct timespec`, 16 bytes. */
export function clockGettime(clock: number, into: Uint8Array): void {
  checked(raw.clock_gettime(clock, into), 'clock_gettime', 'reading the clock');
}

const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_IS_SET = 1;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;

/** Whether this thread has an ambient capability; false also for one that the kernel does not know. */
export function hasAmbient(capability: number): boolean {
  return Number(raw.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0)) === 1;
}

export function raiseAmbient(capability: number): void {
  checked(raw.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0), 'prctl', 'ambient capabilities');
}

export function withdrawAllAmbient(): void {
  checked(raw.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 'prctl', 'ambient capabilities');
}

/** Memory that keeps its place, for structures that point to each other. */
export interface FixedMemory {
  readonly pointer: unknown;
  readonly address: bigint;
  readonly bytes: Buffer;
}

export function fixedMemory(size: number): FixedMemory {
  const pointer = koffi.alloc('uint8_t', size);
  return { pointer, address: BigInt(koffi.address(pointer)), bytes: Buffer.from(koffi.view(pointer, size)) };
}

export function recvmsg(fd: number, message: FixedMemory, what: string): number | null {
  return checkedOrLater(raw.recvmsg(fd, message.pointer, 0), 'recvmsg', what);
}

export function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

/** Lets only those packets through to a socket that a classic BPF program accepts, from then on. */
export function attachFilter(fd: number, program: Uint8Array, what: string): void {
  const SOL_SOCKET = 1;
  const SO_ATTACH_FILTER = 26;
  filterMemory.bytes.set(program, 16);
  filterMemory.bytes.writeUInt16LE(program.length / 8, 0);
  filterMemory.bytes.writeBigUInt64LE(filterMemory.address + 16n, 8);
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filterMemory.bytes.subarray(0, 16), what);
}

/** `struct sock_fprog` and the program that it points to. The kernel takes a copy, so one serves all. */
const filterMemory = fixedMemory(16 + 8 * 64);
