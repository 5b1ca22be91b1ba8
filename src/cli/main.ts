/** What `bin/tanist` starts. */
import { commands } from './commands.js';
import { runProgram } from './program.js';

process.exitCode = await runProgram(process.argv.slice(2), commands);
