// A TCP server that says its name to whoever connects: `node beacon.mjs NAME PORT`.
import { createServer } from 'node:net';

const [name, port] = process.argv.slice(2);
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.end(`${name}\n`);
});
server.listen(Number(port), '0.0.0.0', () => process.stdout.write('listening\n'));
