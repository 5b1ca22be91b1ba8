/** Sets a stage with a process and a disk of its own, and waits: whoever kills this program must find nothing left. */
import { Cleanup } from '../../support/cleanup.js';
import { Stage } from './stage.js';

const stage = new Stage(new Cleanup(), { smallDisks: true });
stage.build(['a']);
stage.dataDirectory('a');
// Like a Redis that an agent has started: no child of ours any more.
stage.lab.host('a').start('setsid', ['--fork', 'sleep', '600']);
const namespaces = stage.lab.hosts.map((host) => host.namespace).join(' ');
process.stdout.write(`stage: ${JSON.stringify({ folder: stage.folder, namespaces: namespaces.split(' ') })}\n`);
setInterval(() => undefined, 1000);
