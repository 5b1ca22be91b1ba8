/** What passes a switch: tcpdump's packets with their times. */
import { spawn } from 'node:child_process';
import type { Cleanup } from '../support/cleanup.js';
import { until } from '../support/until.js';

export interface CapturedPacket {
  /** Wall clock, with microseconds. */
  readonly at_ms: number;
  /** From the Ethernet header on. */
  readonly frame: Uint8Array;
}

const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;

export class Capture {
  readonly packets: CapturedPacket[] = [];
  #rest = Buffer.alloc(0);
  #headed = false;

  /** Resolves when packets are being captured. */
  static async start(namespace: string, filter: string, cleanup: Cleanup): Promise<Capture> {
    const capture = new Capture();
    const args = [
      'netns',
      'exec',
      namespace,
      'tcpdump',
      '-i',
      'br0',
      '-U',
      '-w',
      '-',
      '--immediate-mode',
      ...filter.split(' '),
    ];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    cleanup.add(() => child.kill('SIGKILL'));
    child.stdout.on('data', (chunk: Buffer) => capture.#push(chunk));
    child.stderr.resume();
    await until(() => capture.#headed, { what: 'tcpdump to listen' });
    return capture;
  }

  #push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (!this.#headed) {
      if (this.#rest.length < FILE_HEADER_BYTES) return;
      this.#rest = this.#rest.subarray(FILE_HEADER_BYTES);
      this.#headed = true;
    }
    while (this.#rest.length >= PACKET_HEADER_BYTES) {
      const length = this.#rest.readUInt32LE(8);
      if (this.#rest.length < PACKET_HEADER_BYTES + length) return;
      const at_ms = this.#rest.readUInt32LE(0) * 1000 + this.#rest.readUInt32LE(4) / 1000;
      this.packets.push({
        at_ms,
        frame: Uint8Array.from(this.#rest.subarray(PACKET_HEADER_BYTES, PACKET_HEADER_BYTES + length)),
      });
      this.#rest = this.#rest.subarray(PACKET_HEADER_BYTES + length);
    }
  }
}
