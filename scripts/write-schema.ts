/** `npm run schema`: writes schema/tanist.schema.json anew, after a change of what a tanist.yml may hold. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tanistJsonSchema } from '../src/config/tanist/json-schema.js';

const root = fileURLToPath(new URL('..', import.meta.url));
mkdirSync(`${root}/schema`, { recursive: true });
writeFileSync(`${root}/schema/tanist.schema.json`, `${JSON.stringify(tanistJsonSchema(), null, 2)}\n`);
execFileSync('npx', ['biome', 'format', '--write', 'schema'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
