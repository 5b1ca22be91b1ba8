/**
 * A program of its own, which waits for the demo to end and then ends what it has left: the kernel closes our standard
 * input whatever the demo died of, a kill -9 as well.
 */
import { sweep } from './sweep.js';

const [, , directory] = process.argv;
if (directory === undefined) throw new Error('usage: guardian <folder of a demo>');
process.stdin.resume();
process.stdin.on('error', () => undefined);
process.stdin.once('close', () => void sweep(directory));
