/** The routes that change something. Each is guarded, logged with who gave it, and answered with what came of it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../../observe/log.js';
import type { AgentControl, Outcome } from '../view.js';
import { within } from './deadline.js';
import { ApiError, errorBody } from './errors.js';
import { checkOrder, type TokenCheck } from './guard.js';
import { type OrderBody, orderBody, pickGroup } from './query.js';

/** An order that takes longer goes on; who gave it is told where to look. */
const ORDER_MS = 60_000;

export interface OrderOptions {
  readonly control: AgentControl;
  readonly token: TokenCheck;
  readonly log: Pick<Log, 'write'>;
}

interface Order {
  readonly url: string;
  readonly keys: readonly (keyof OrderBody)[];
  /** @throws {ApiError} when the order is not one that can be given */
  give(control: AgentControl, body: OrderBody): Promise<Outcome>;
}

const ORDERS: readonly Order[] = [
  {
    url: '/switchover',
    keys: ['group', 'to'],
    give: (control, { group, to }) => control.switchover(pickGroup(control.local(), group).name, to),
  },
  {
    url: '/failover',
    keys: ['group', 'to', 'force'],
    give: async (control, { group, to, force }) => {
      const { name } = pickGroup(control.local(), group);
      if (force) return control.failover(name, to);
      throw new ApiError(
        400,
        "a failover goes on without the master's help and may lose acknowledged writes",
        'use /switchover, or send "force": true',
      );
    },
  },
  { url: '/pause', keys: ['group'], give: (control, { group }) => control.pause(existing(control, group)) },
  { url: '/resume', keys: ['group'], give: (control, { group }) => control.resume(existing(control, group)) },
];

export function orderRoutes(app: FastifyInstance, options: OrderOptions): void {
  for (const order of ORDERS) {
    app.post(order.url, {
      // Before the body is read: who may not give orders does not get to send anything.
      onRequest: async (request: FastifyRequest) => checkOrder(request, options.token),
      handler: (request, reply) => carryOut(order, request, reply, options),
    });
  }
}

async function carryOut(order: Order, request: FastifyRequest, reply: FastifyReply, options: OrderOptions) {
  const body = orderBody(request.body, order.keys);
  const words = [
    order.url.slice(1),
    body.group,
    body.to === null ? null : `to ${body.to}`,
    body.force ? 'force' : null,
  ];
  const what = words.filter((word) => word !== null).join(' ');
  options.log.write('notice', `order from ${request.socket.remoteAddress ?? 'a closed connection'}: ${what}`);
  const outcome = await within(
    order.give(options.control, body),
    ORDER_MS,
    `${what} is not done after ${ORDER_MS / 1000} s; it may still go on`,
    '`tanist status` shows how far it is',
  );
  options.log.write('notice', `order ${what}: ${outcome.ok ? 'done' : 'refused'}: ${outcome.text}`);
  if (outcome.ok) return outcome;
  return reply
    .code(outcome.status)
    .send(errorBody({ message: outcome.text, fix: outcome.fix ?? fixOf(outcome.status) }));
}

function existing(control: AgentControl, group: string | null): string | null {
  return group === null ? null : pickGroup(control.local(), group).name;
}

function fixOf(status: 400 | 404 | 409 | 503): string {
  switch (status) {
    case 400:
      return 'docs/api.md says what can be asked';
    case 404:
      return '`tanist status` lists the groups and hosts';
    case 409:
      return '`tanist explain` says who could take over, and what is in the way';
    case 503:
      return '`tanist status` says who does not answer';
  }
}
