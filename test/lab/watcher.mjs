// Connects to ADDRESS:PORT every 10 ms and prints one line for every success: start of the attempt (ms), who answered.
// `node watcher.mjs ADDRESS PORT`
import { connect } from 'node:net';

const [host, port] = process.argv.slice(2);
const EVERY_MS = 10;
const GIVE_UP_MS = 1000;

function attempt() {
  const started = performance.timeOrigin + performance.now();
  const socket = connect({ host, port: Number(port), timeout: GIVE_UP_MS });
  let answer = '';
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    answer += text;
  });
  socket.on('error', () => undefined);
  socket.on('timeout', () => socket.destroy());
  socket.on('end', () => process.stdout.write(`${started.toFixed(1)} ${answer.trim()}\n`));
}

setInterval(attempt, EVERY_MS);
