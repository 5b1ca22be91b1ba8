/** The routes that only look: health endpoints, the cluster, its history and events, explanations, metrics. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AgentControl } from '../view.js';
import { Shared, within } from './deadline.js';
import type { EventStream } from './event-stream.js';
import { healthPaths, judge } from './health.js';
import { countParameter, lagParameter, parameter, pickGroup, type Query } from './query.js';
import type { MetricsSource } from './server.js';

/** Other hosts are asked for a view; one that is unplugged must not hold the answer for long. */
const VIEW_MS = 5_000;
const HISTORY_MAX = 1_000;
const HISTORY_USUAL = 100;

export interface ReadOptions {
  readonly control: AgentControl;
  readonly metrics: MetricsSource;
  readonly events: EventStream;
}

export function readRoutes(app: FastifyInstance, options: ReadOptions): void {
  healthRoutes(app, options.control);
  clusterRoutes(app, options.control);
  streamRoutes(app, options);
}

/** Answered from what this host knows by itself: a load balancer asks often and must never wait for other hosts. */
function healthRoutes(app: FastifyInstance, control: AgentControl): void {
  for (const [url, question] of Object.entries(healthPaths)) {
    app.route({
      method: ['GET', 'HEAD', 'OPTIONS'],
      url,
      handler: async (request, reply) => {
        const query = queryOf(request);
        const { status, body } = judge(control.local(), question, parameter(query, 'group'), lagParameter(query));
        // A status is all that OPTIONS is asked for; it grants no other origin anything.
        if (request.method === 'OPTIONS') return reply.code(status).header('allow', 'GET, HEAD, OPTIONS').send();
        return reply.code(status).send(body);
      },
    });
  }
}

function clusterRoutes(app: FastifyInstance, control: AgentControl): void {
  const view = new Shared(() => control.view());
  const method = ['GET', 'HEAD'];
  app.route({
    method,
    url: '/cluster',
    handler: () => within(view.get(), VIEW_MS, 'the cluster could not be looked at in time', 'ask again'),
  });
  app.route({
    method,
    url: '/history',
    handler: async (request) => {
      const query = queryOf(request);
      const group = parameter(query, 'group');
      const limit = countParameter(query, 'limit', { most: HISTORY_MAX, unless: HISTORY_USUAL });
      return control.history(group === null ? null : pickGroup(control.local(), group).name, limit);
    },
  });
  app.route({
    method,
    url: '/explain',
    handler: async (request) => {
      const group = pickGroup(control.local(), parameter(queryOf(request), 'group'));
      return within(control.explain(group.name), VIEW_MS, 'the group could not be looked at in time', 'ask again');
    },
  });
}

function streamRoutes(app: FastifyInstance, { control, events, metrics }: ReadOptions): void {
  app.get('/events', async (request, reply) => {
    const group = parameter(queryOf(request), 'group');
    if (group !== null) pickGroup(control.local(), group);
    const lastId = request.headers['last-event-id'];
    events.serve(reply.raw, group, typeof lastId === 'string' ? lastId : null);
    // From here on the response is the stream's.
    reply.hijack();
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/metrics',
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  });
}

function queryOf(request: FastifyRequest): Query {
  const { query } = request;
  return typeof query === 'object' && query !== null ? { ...query } : {};
}
