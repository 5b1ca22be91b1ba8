/** Who a client is in a pool that takes the place of another. */
import type { Client } from './client.js';

/** It is the user of the same name, if there is one; else it must log in again. */
export function loginAgain(client: Client): void {
  const { users } = client.pool;
  if (users === null && client.authenticated) {
    client.login(null);
    return;
  }
  const user = client.authenticated ? users?.find(client.user?.name ?? 'default') : null;
  if (user === null || user === undefined) client.loginAnew();
  else client.login(user);
}
