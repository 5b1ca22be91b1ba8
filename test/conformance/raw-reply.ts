import { connect } from 'node:net';
import { encode } from '../support/resp.js';

const DEADLINE_ms = 5_000;
const PONG = '+PONG\r\n';

/** The bytes of one command's reply as text. The end is found by a PING sent after it. */
export function rawReply(port: number, protocol: 2 | 3, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = '';
    let greeted = false;
    const timer = setTimeout(() => finish(() => reject(new Error(`no reply in ${DEADLINE_ms} ms`))), DEADLINE_ms);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('close', () => finish(() => reject(new Error('connection closed before the reply'))));
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      if (!received.endsWith(PONG)) return;
      if (greeted) return finish(() => resolve(received.slice(0, -PONG.length)));
      greeted = true;
      received = '';
      socket.write(encode(args) + encode(['PING']));
    });
    socket.write(encode(['HELLO', String(protocol)]) + encode(['PING']));
  });
}
