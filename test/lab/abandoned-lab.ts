/** Builds a lab with a process in it and waits: whoever ends this program must find nothing left. */
import { Cleanup } from '../support/cleanup.js';
import { Lab } from './lab.js';

const lab = new Lab(new Cleanup(), ['a', 'b']);
lab.host('a').start('sleep', ['600']);
process.stdout.write(`namespaces: ${lab.hosts.map((h) => h.namespace).join(' ')}\n`);
setInterval(() => undefined, 1000);
