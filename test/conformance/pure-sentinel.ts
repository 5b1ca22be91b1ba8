/** The core's commands behind a real socket, without the runner: what a conformance table is run against. */
import type { Socket } from 'node:net';
import { encodeReply, type RespVersion } from '../../src/redis/encoder.js';
import { type Reply, SimpleString } from '../../src/redis/reply.js';
import { RequestDecoder } from '../../src/redis/request-decoder.js';
import { sentinelSection } from '../../src/sentinel/commands/info-section.js';
import { questionsBefore } from '../../src/sentinel/commands/questions.js';
import type { Cleanup } from '../support/cleanup.js';
import { startRawServer } from '../support/raw-server.js';
import type { SentinelDriver } from '../support/sentinel-driver.js';

/** Answers as the runner would: names are not found, and only `/bin/sh` can be executed. @returns the port */
export async function servePure(cleanup: Cleanup, driver: SentinelDriver): Promise<number> {
  const { port } = await startRawServer(cleanup, (socket) => serve(socket, driver));
  return port;
}

function serve(socket: Socket, driver: SentinelDriver): void {
  const decoder = new RequestDecoder();
  let protocol: RespVersion = 2;
  socket.on('data', (chunk) => {
    decoder.feed(chunk, (args) => {
      if (args[0] === 'HELLO') protocol = 3;
      socket.write(encodeReply(answer(driver, args), protocol));
    });
  });
}

function answer(driver: SentinelDriver, args: readonly string[]): Reply {
  switch (args[0]?.toUpperCase()) {
    case 'HELLO':
      return new SimpleString('OK');
    case 'PING':
      return new SimpleString('PONG');
    case 'INFO':
      return sentinelSection(driver.sentinel, driver.now, { running: 0, queued: 0 });
    default:
      return command(driver, args);
  }
}

function command(driver: SentinelDriver, args: readonly string[]): Reply {
  for (const question of questionsBefore(driver.sentinel, args)) {
    if (question.about === 'name') driver.input({ on: 'resolved', host: question.host, ip: null });
    else if (question.path !== '/bin/sh') return question.refusal;
  }
  return driver.command(...args);
}
