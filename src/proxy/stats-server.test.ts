import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { createStatsServer, whatIsAsked } from './stats-server.js';

const cleanup = cleanupAfterEach();

it('tells an HTTP request from anything else, wherever it is cut', () => {
  const request = 'GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n';
  for (let size = 1; size < request.length; size++) {
    expect(whatIsAsked(request.slice(0, size)).kind).toBe('part');
  }
  expect(whatIsAsked(request)).toEqual({ kind: 'http', head: false, path: '/metrics' });
  expect(whatIsAsked('HEAD / HTTP/1.0\n\n')).toEqual({ kind: 'http', head: true, path: '/' });
  expect(whatIsAsked('')).toEqual({ kind: 'nothing' });
  for (const text of ['stats\r\n', 'GETX', 'GET nonsense\r\n\r\n', `GET /${'x'.repeat(20_000)}`]) {
    expect(whatIsAsked(text).kind).toBe('plain');
  }
});

it('gives JSON to who says nothing, and pages by HTTP', async () => {
  const server = createStatsServer({
    snapshot: () => Promise.resolve({ version: '0.5.0', startedAt_ms: Date.now(), pools: [] }),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(() => server.close());
  const { port } = server.address() as AddressInfo;
  const ask = async (parts: readonly string[], ends = false): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).setEncoding('utf8');
    let text = '';
    socket.on('data', (part: string) => {
      text += part;
    });
    for (const part of parts) await new Promise<void>((resolve) => socket.write(part, () => resolve()));
    if (ends) socket.end();
    await once(socket, 'end');
    socket.end();
    return text;
  };
  expect(JSON.parse(await ask([]))).toMatchObject({ service: 'nutcracker', version: '0.5.0' });
  expect(JSON.parse(await ask([], true))).toMatchObject({ service: 'nutcracker' });
  expect(JSON.parse(await ask(['stats\r\n']))).toMatchObject({ service: 'nutcracker' });
  const metrics = await ask(['GET /met', 'rics HTTP/1.1\r\n', '\r\n']);
  expect(metrics).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: text\/plain; version=0\.0\.4/);
  const [head = '', body = ''] = metrics.split('\r\n\r\n');
  expect(head).toContain(`Content-Length: ${body.length}`);
  expect(body).toContain('# TYPE tanist_proxy_start_time_seconds gauge');
  expect(JSON.parse((await ask(['GET / HTTP/1.1\r\n\r\n'])).split('\r\n\r\n')[1] ?? '')).toHaveProperty('uptime');
  expect(await ask(['GET /nothing HTTP/1.1\r\n\r\n'])).toMatch(/^HTTP\/1\.1 404 /);
  expect(await ask(['HEAD /metrics HTTP/1.1\r\n\r\n'])).toMatch(/Connection: close\r\n\r\n$/);
});
