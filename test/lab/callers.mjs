// Opens COUNT connections to ADDRESS:PORT, sends a line on each when told one, and prints what happens, with CLOCK_MONOTONIC in ms:
// `connected N` when all are open, `answer TEXT`, and `lost CODE` for each that ends. A refused one is `lost` too.
// `node callers.mjs ADDRESS PORT COUNT [LINE]`
import { connect } from 'node:net';

const [host, port, count, line] = process.argv.slice(2);
const say = (/** @type {string} */ text) =>
  process.stdout.write(`${(Number(process.hrtime.bigint()) / 1e6).toFixed(3)} ${text}\n`);
let open = 0;

for (let n = 0; n < Number(count); n++) {
  const socket = connect({ host, port: Number(port) }, () => {
    if (line !== undefined) socket.write(`${line}\r\n`);
    if (++open === Number(count)) say(`connected ${open}`);
  });
  let error = 'end';
  socket.on('data', (text) => say(`answer ${String(text).trim()}`));
  socket.on('error', (/** @type {NodeJS.ErrnoException} */ { code }) => {
    error = code ?? 'unknown';
  });
  socket.on('close', () => say(`lost ${error}`));
}
