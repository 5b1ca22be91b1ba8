/** Log lines for people and for the journal. */
import type { LogLevel } from '../core/io.js';

export type Logger = (level: LogLevel, instance: string | null, message: string) => void;

/** A logger that writes `time level (instance) message` lines. @param detailed with debug lines. */
export function lineLogger(write: (line: string) => void, detailed: boolean): Logger {
  return (level, instance, message) => {
    if (level === 'debug' && !detailed) return;
    const who = instance === null ? '' : `(${instance}) `;
    write(`${new Date().toISOString()} ${level.padEnd(5)} ${who}${message}\n`);
  };
}
