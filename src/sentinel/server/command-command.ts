/** COMMAND and its subcommands: what clients ask to know the commands. */
import { globMatches } from '../../redis/acl/glob.js';
import { ErrorReply, MapReply, type Reply, SetReply, SimpleString } from '../../redis/reply.js';
import { type CommandSpec, categoriesOf, findSpec, groupOf, listedCommands, sinceOf } from './command-table.js';

const HELP: readonly string[] = [
  'COMMAND [<subcommand> ...]. Without one: the properties of all commands. Subcommands are:',
  'COUNT: how many commands there are.',
  'DOCS [<name> ...]: what commands are for.',
  'GETKEYS, GETKEYSANDFLAGS <request>: the keys of a request.',
  'INFO [<name> ...]: the properties of commands.',
  'LIST [FILTERBY ACLCAT <category> | PATTERN <pattern>]: the names.',
  'HELP: this text.',
];

/** Runs `COMMAND <args>`. */
export function runCommandCommand(args: readonly string[]): Reply {
  const [name, ...rest] = args;
  switch (name?.toLowerCase()) {
    case undefined:
      return listedCommands().map(properties);
    case 'count':
      return listedCommands().length;
    case 'info':
      return rest.length === 0 ? listedCommands().map(properties) : rest.map(propertiesByName);
    case 'docs':
      return docs(rest);
    case 'list':
      return list(rest);
    case 'getkeys':
    case 'getkeysandflags':
      return findSpec(rest[0] ?? '') === null
        ? new ErrorReply('ERR Invalid command specified')
        : new ErrorReply('ERR The command has no key arguments');
    default:
      return HELP;
  }
}

function propertiesByName(name: string): Reply {
  const spec = findSpec(name);
  return spec === null ? null : properties(spec);
}

/** Name, arity, flags, first key, last key, step, categories, tips, key specifications, subcommands. */
function properties(spec: CommandSpec): Reply {
  return [
    spec.name,
    spec.arity,
    new SetReply(spec.flags.map((flag) => new SimpleString(flag))),
    0,
    0,
    0,
    new SetReply(categoriesOf(spec).map((category) => new SimpleString(category))),
    [],
    [],
    [...spec.subcommands.values()].map(properties),
  ];
}

function docs(names: readonly string[]): Reply {
  const specs = names.length === 0 ? listedCommands() : names.flatMap((name) => findSpec(name) ?? []);
  return docsOf(specs);
}

function docsOf(specs: readonly CommandSpec[]): MapReply {
  return new MapReply(
    specs.map((spec) => {
      const fields: [Reply, Reply][] = [
        ['summary', spec.summary],
        ['since', sinceOf(spec)],
        ['group', groupOf(spec)],
      ];
      if (spec.subcommands.size > 0) fields.push(['subcommands', docsOf([...spec.subcommands.values()])]);
      return [spec.name, new MapReply(fields)];
    }),
  );
}

function list(args: readonly string[]): Reply {
  const names = listedCommands().flatMap((spec) => [spec, ...spec.subcommands.values()]);
  const [filterBy, kind, value] = args.map((arg) => arg.toLowerCase());
  if (filterBy === undefined) return names.map(({ name }) => name);
  if (filterBy !== 'filterby' || value === undefined || args.length !== 3) return new ErrorReply('ERR syntax error');
  switch (kind) {
    case 'aclcat':
      return names.filter((spec) => categoriesOf(spec).includes(`@${value}`)).map(({ name }) => name);
    case 'pattern':
      return names.filter(({ name }) => globMatches(value, name)).map(({ name }) => name);
    case 'module':
      return [];
    default:
      return new ErrorReply('ERR syntax error');
  }
}
