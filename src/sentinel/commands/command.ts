/**
 * The commands of clients that concern the core's state. Pure: each takes the arguments and gives the reply. The runner
 * answers everything else itself, and of what is named here: INFO (its `# Sentinel` section is `sentinelSection`) and
 * SENTINEL PENDING-SCRIPTS, whose data it holds. Before it hands a command over, it asks `questionsBefore`.
 */
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { HELLO_CHANNEL, onHello } from '../core/hello.js';
import type { ClientToken } from '../core/io.js';
import type { Turn } from '../core/turn.js';
import { quoted, wrongArity } from './arguments.js';
import { onSentinelCommand } from './sentinel.js';

/** Carries out a client's command and answers it. */
export function onCommand(turn: Turn, client: ClientToken, args: readonly string[]): void {
  turn.effects.push({ act: 'answer', client, reply: replyTo(turn, args) });
}

function replyTo(turn: Turn, args: readonly string[]): Reply {
  const [name = '', ...rest] = args;
  switch (name.toUpperCase()) {
    case 'SENTINEL':
      return onSentinelCommand(turn, rest);
    case 'PUBLISH':
      return publish(turn, rest);
    case 'ROLE':
      return rest.length === 0 ? ['sentinel', [...turn.s.groups.keys()]] : wrongArity('role');
    default:
      return new ErrorReply(`ERR unknown command '${quoted(name)}'`);
  }
}

/** Sentinels send each other their hello messages as PUBLISH; nothing else may be published here. */
function publish(turn: Turn, args: readonly string[]): Reply {
  const [channel, message] = args;
  if (args.length !== 2 || message === undefined) return wrongArity('publish');
  if (channel !== HELLO_CHANNEL) {
    return new ErrorReply('ERR Only HELLO messages are accepted by Sentinel instances.');
  }
  onHello(turn, message);
  return 1;
}
