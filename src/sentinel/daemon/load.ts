/** Reads and checks everything that a Sentinel is started with, before anything is opened or changed. */
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errorText } from '../../base/error-text.js';
import { assertWritable, ConfigFileError } from '../../config/atomic-file.js';
import { CommandLineError, commandLineOverrides } from '../../config/command-line.js';
import { DISK_CHECKS, loadConfFile } from '../../config/conf-files.js';
import { type ConfDocument, parseConf } from '../../config/conf-lines.js';
import { ConfigError } from '../../config/config-error.js';
import { type ReadOptions, readSentinelConf, type SentinelConf } from '../../config/sentinel-conf.js';
import { AclLoadError, AclUsers, parseAclFile } from '../../redis/acl/acl-users.js';

/** A Sentinel that cannot be started; the message is for the operator. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code = 'ERR_START';
}

export interface Loaded {
  /** Absolute. */
  readonly path: string;
  /** The file as it was read, to be rewritten. */
  readonly doc: ConfDocument;
  readonly conf: SentinelConf;
  readonly users: AclUsers;
  /** Directives came from standard input as well. */
  readonly stdin: boolean;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Reads the configuration and enters its `dir`.
 * @param file as the user named it @param overrides what followed it on the command line
 * @throws {StartError}
 */
export function loadConfiguration(file: string, overrides: readonly string[]): Loaded {
  try {
    return load(file, overrides);
  } catch (error) {
    if (error instanceof ConfigError) throw new StartError(`the configuration is refused\n${error.format()}`);
    const expected =
      error instanceof ConfigFileError || error instanceof CommandLineError || error instanceof AclLoadError;
    throw expected ? new StartError(error.message) : error;
  }
}

function load(file: string, overrides: readonly string[]): Loaded {
  const path = resolve(file);
  assertWritable(path);
  assertDirectoryWritable(path);
  const doc = loadConfFile(file);
  const { document, stdin } = commandLineOverrides(overrides);
  const documents = [doc, ...(stdin ? [parseConf(readFileSync(0, 'utf8'), '<stdin>')] : []), document];
  const conf = readIn(documents, process.cwd());
  const { requirepass, aclfile, syslogEnabled, aclPubsubDefault } = conf.server;
  if (syslogEnabled) {
    throw new StartError(
      `${file}: syslog-enabled yes: syslog is not supported\n  fix: set \`logfile\`, or leave standard output to systemd`,
    );
  }
  const users = new AclUsers({ hash: sha256, pubsubDefault: aclPubsubDefault });
  users.load(aclfile === '' ? conf.users : usersOfFile(aclfile, conf));
  if (requirepass !== '') users.setRequirepass(requirepass);
  return { path, doc, conf, users, stdin };
}

/** Paths in the file count from its `dir`, but `dir` and includes from where the program was started. */
function readIn(documents: readonly ConfDocument[], cwd: string): SentinelConf {
  const options: ReadOptions = {
    ...DISK_CHECKS,
    isDirectory: (path) => DISK_CHECKS.isDirectory(resolve(cwd, path)),
    include: (pattern) => DISK_CHECKS.include(resolve(cwd, pattern)),
    checkUser: (name, rules) => new AclUsers({ hash: sha256, pubsubDefault: 'resetchannels' }).checkRules(name, rules),
  };
  const withoutPaths = { isExecutable: () => true, appendFault: () => null };
  const { dir } = readSentinelConf(documents, { ...options, ...withoutPaths }).server;
  if (dir !== '') process.chdir(resolve(cwd, dir));
  return readSentinelConf(documents, options);
}

/** The state is kept by renaming a new file over the old one. */
function assertDirectoryWritable(path: string): void {
  const directory = dirname(realpathSync(path));
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch {
    throw new StartError(
      `the directory ${directory} must be writable, since a Sentinel keeps its state by replacing the file in it`,
    );
  }
}

function usersOfFile(aclfile: string, conf: SentinelConf): ReturnType<typeof parseAclFile> {
  if (conf.users.length > 0) {
    throw new StartError(
      `users are defined both in the configuration and in the ACL file ${aclfile}: keep one of them`,
    );
  }
  try {
    return parseAclFile(readFileSync(aclfile, 'utf8'));
  } catch (error) {
    throw new StartError(`the ACL file ${aclfile}: ${errorText(error)}`);
  }
}
