/** Messages on a stream: one line of JSON each. */
import type { Socket } from 'node:net';

/** A configuration with many users is the longest; beyond this, it is no message of ours. */
const LINE_MAX_BYTES = 64 * 1024 * 1024;

/** Gives every message that comes in; ends the connection when something is none. */
export function onMessages(socket: Socket, heard: (message: unknown) => void): void {
  let parts: string[] = [];
  let length = 0;
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = text.split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      const whole = parts.join('') + line;
      parts = [];
      length = 0;
      const message = parse(whole);
      if (message === null) return void socket.destroy(new Error('what came is no message'));
      heard(message);
    }
    parts.push(last);
    length += last.length;
    if (length > LINE_MAX_BYTES) socket.destroy(new Error('a message is too long'));
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** @param written told when it is on its way, or when the connection has ended first */
export function writeMessage(socket: Socket, message: unknown, written: () => void = () => {}): void {
  socket.write(`${JSON.stringify(message)}\n`, written);
}
