import { expect, it } from 'vitest';
import { listenAll } from './listen.js';

it('says that the directory of a unix socket is missing', async () => {
  const options = { port: 0, bind: [], backlog: 10, tls: null, unixsocket: '/none/such/x.sock', unixsocketperm: 0 };
  await expect(listenAll(options, () => undefined)).rejects.toThrow(
    'cannot listen on the unix socket /none/such/x.sock: there is no such directory',
  );
});
