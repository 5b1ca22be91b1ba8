/** Each rule is shown a fault, to know that it can fail, and its innocent neighbour. */
import { describe, expect, it } from 'vitest';
import * as rules from './rules.js';
import { type SourceFile, sourceFile } from './source-file.js';
import { readCode } from './source-text.js';

const core = 'src/sentinel/core/step.ts';
const runner = 'src/sentinel/runner.ts';

const file = (path: string, text: string): SourceFile => sourceFile(path, text);

describe('readCode', () => {
  it('tells code from comments and literals', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text under test is source code
    const text = "a /* Date */ + 'Date' // Date\n+ `x ${Date} y` + /Date'/.test(b) / c / Date";
    const { bare, comments } = readCode(text);
    expect(bare).toHaveLength(text.length);
    expect(bare.match(/Date/g)).toHaveLength(2);
    expect(comments.match(/Date/g)).toHaveLength(2);
    expect(bare.split('\n')).toHaveLength(2);
  });

  it('is not lost in nested templates, escapes and astral letters', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text under test is source code
    const { bare } = readCode('`${`\\`${{ a: "}" }}`}` + "\\"" + "𝔸" + END');
    expect(bare).toContain('+ END');
  });
});

describe('imports', () => {
  it('are found in every form, and not in strings or comments', () => {
    const text = `
import { readFileSync } from 'node:fs';
import type { A } from './a.js';
import b, { type C } from "../b.js";
import './side-effect.js';
export { d } from './d.js';
export * from './e.js';
const f = await import('./f.js');
const worker = new URL('./worker.js', import.meta.url);
// import g from './g.js';
const text = "import h from './h.js'";
export const i = { from: 'nowhere' };
`;
    const found = file(runner, text).imports;
    expect(found.map((each) => each.target ?? each.specifier)).toEqual([
      'node:fs',
      'src/sentinel/a.ts',
      'src/b.ts',
      'src/sentinel/side-effect.ts',
      'src/sentinel/d.ts',
      'src/sentinel/e.ts',
      'src/sentinel/f.ts',
      'src/sentinel/worker.ts',
    ]);
    expect(found.filter((each) => each.typeOnly).map((each) => each.specifier)).toEqual(['./a.js']);
    expect(found.filter((each) => each.reExport).map((each) => each.specifier)).toEqual(['./d.js', './e.js']);
    expect(found.filter((each) => each.late).map((each) => each.specifier)).toEqual(['./f.js', './worker.js']);
    expect(found[2]?.line).toBe(4);
  });

  it('are found over several lines', () => {
    const [found] = file(core, "import {\n  a,\n  b,\n} from '../x.js';").imports;
    expect(found).toMatchObject({ target: 'src/sentinel/x.ts', line: 1 });
  });
});

describe('impurities', () => {
  const faults = [
    "import { createHash } from 'node:crypto';",
    'const now = Date.now();',
    'const now = new Date();',
    'const now = performance.now();',
    'const roll = Math.random();',
    'setTimeout(step, 5);',
    'const t: NodeJS.Timeout = setInterval(step, 5);',
    'setImmediate(step);',
    'queueMicrotask(step);',
    'const home = process.env["HOME"];',
    'let bytes: Buffer;',
    "await fetch('x');",
    'const id = crypto.randomUUID();',
    'console.log(id);',
    'globalThis.x = 1;',
  ];
  it.each(faults)('finds %s', (text) => {
    expect(rules.impurities(file(core, text))).toHaveLength(1);
    expect(rules.impurities(file('src/base/clock.ts', text))).toHaveLength(1);
    expect(rules.impurities(file(runner, text))).toEqual([]);
  });

  it.each(['state.process.id', '// Date.now()', "'setTimeout'", 'lastUpdate(x)', 'this.fetch(x)'])(
    'allows %s',
    (text) => {
      expect(rules.impurities(file(core, text))).toEqual([]);
    },
  );

  it('keeps the simulator from the clock, but lets it print', () => {
    expect(rules.impurities(file('src/sim/world.ts', 'Date.now(); console.log(1);'))).toHaveLength(1);
    expect(rules.impurities(file('src/sim/main.ts', 'Date.now();'))).toEqual([]);
  });

  it('lets a test beside a core do as it likes', () => {
    expect(rules.impurities(file('src/base/prng.test.ts', 'Date.now()'))).toEqual([]);
  });
});

describe('impureReach', () => {
  const chain = (first: string) => [
    file(core, first),
    file('src/sentinel/near.ts', "import { far } from './far.js';"),
    file('src/sentinel/far.ts', "import { connect } from 'node:net';"),
  ];

  it('finds what a core would load by way of others', () => {
    expect(rules.impureReach(chain("import { near } from '../near.js';"))).toEqual([
      'src/sentinel/far.ts:1: this is loaded by a core and imports node:net',
    ]);
  });

  it('allows types', () => {
    expect(rules.impureReach(chain("import type { Near } from '../near.js';"))).toEqual([]);
  });
});

describe('floorFaults', () => {
  const faults = (path: string, specifier: string) =>
    rules.floorFaults(file(path, `import { a } from '${specifier}';`));

  it.each([
    ['src/redis/link.ts', '../sentinel/core/io.js'],
    ['src/base/prng.ts', '../redis/reply.js'],
    ['src/sentinel/runner.ts', '../proxy/ring/ring.js'],
    ['src/vrrp/core/io.ts', '../../keeper/core/io.js'],
    ['src/config/yaml.ts', '../agent/agent.js'],
    ['src/agent/agent.ts', '../cli/main.js'],
    ['src/cli/main.ts', '../../test/support/until.js'],
    ['src/attic/old.ts', './older.js'],
    ['src/sentinel/runner.ts', '../cli/program.test.js'],
  ])('finds %s importing %s', (path, specifier) => {
    expect(faults(path, specifier)).toHaveLength(1);
  });

  it.each([
    ['src/cli/sentinel.ts', '../sentinel/runner.js'],
    ['src/agent/agent.ts', '../vrrp/core/io.js'],
    ['src/sentinel/core/step.ts', '../../base/prng.js'],
    ['src/sim/world.ts', '../sentinel/core/step.js'],
    ['src/config/yaml.ts', '../base/assert.js'],
    ['src/sentinel/runner.ts', 'node:net'],
    ['src/cli/program.test.ts', '../../test/support/until.js'],
  ])('allows %s importing %s', (path, specifier) => {
    expect(faults(path, specifier)).toEqual([]);
  });

  it('lets a file be named that is no source', () => {
    const text = "const command = new URL('../../bin/tanist', import.meta.url);";
    expect(rules.floorFaults(file('src/demo/nodes.ts', text))).toEqual([]);
  });

  it('names a floor only once it exists above another', () => {
    for (const [folder, below] of Object.entries(rules.floors)) {
      for (const each of below) expect(rules.floors[each], `${each} below ${folder}`).toBeDefined();
      for (const each of below) expect(rules.floors[each], `${each} back to ${folder}`).not.toContain(folder);
    }
  });
});

describe('importCycles', () => {
  const trio = (last: string) => [
    file('src/base/a.ts', "import { b } from './b.js';"),
    file('src/base/b.ts', "import { c } from './c.js';"),
    file('src/base/c.ts', last),
  ];

  it('finds a cycle of three', () => {
    const [fault] = rules.importCycles(trio("import { a } from './a.js';"));
    expect(fault).toContain('src/base/a.ts -> src/base/b.ts -> src/base/c.ts -> src/base/a.ts');
  });

  it('allows types, late loading and diamonds', () => {
    expect(rules.importCycles(trio("import type { a } from './a.js';"))).toEqual([]);
    expect(rules.importCycles(trio("const a = await import('./a.js');"))).toEqual([]);
    expect(rules.importCycles([...trio(''), file('src/base/d.ts', "import './b.js'; import './c.js';")])).toEqual([]);
  });
});

describe('the other rules', () => {
  it('find barrels', () => {
    expect(rules.barrels(file(runner, "export * from './a.js';"))).toHaveLength(1);
    expect(rules.barrels(file(runner, "export { a } from './a.js';\nexport type { B } from './b.js';"))).toHaveLength(
      1,
    );
    expect(rules.barrels(file(runner, "export { a } from './a.js';\nexport const b = 1;"))).toEqual([]);
  });

  it('find files too long', () => {
    expect(rules.oversized(file(runner, 'x;\n'.repeat(501)))).toHaveLength(1);
    expect(rules.oversized(file(runner, 'x;\n'.repeat(500)))).toEqual([]);
  });

  it('find names that are not kebab-case', () => {
    for (const bad of ['src/base/ipAddress.ts', 'src/Base/ip.ts', 'test/e2e/fail_over.test.ts']) {
      expect(rules.misnamed(bad), bad).toHaveLength(1);
    }
    for (const good of ['src/base/ip-address.ts', '.ci/x.ts', 'vitest.config.ts', 'src/proxy/ring/md5.test.ts']) {
      expect(rules.misnamed(good), good).toEqual([]);
    }
  });

  it.each(['it.only(', 'describe.skip(', 'it.concurrent.skip(', 'test.todo(', 'it.skipIf(x)(', 'context.skip()'])(
    'find %s',
    (text) => expect(rules.silentSkips(file('src/a.test.ts', `${text}'x', () => {});`))).toHaveLength(1),
  );

  it('allow a skip with its reason, and other methods of that name', () => {
    expect(rules.silentSkips(file('src/a.test.ts', "context.skip('no root'); reader.skip(3);"))).toEqual([]);
  });

  it('find work left over, in comments alone', () => {
    const word = ['TO', 'DO'].join('');
    expect(rules.leftovers(file(runner, `// ${word}: later`))).toHaveLength(1);
    expect(rules.leftovers(file(runner, `const ${word} = 1;`))).toEqual([]);
  });

  it('find dead files', () => {
    const files = [
      file('src/cli/main.ts', "import './used.js';"),
      file('src/cli/used.ts', ''),
      file('src/cli/dead.ts', ''),
      file('src/cli/dead.test.ts', "import './dead.js';"),
      file('test/support/driver.ts', "import '../../src/cli/dead.js';"),
    ];
    expect(rules.deadFiles(files)).toEqual(['src/cli/dead.ts:1: nobody imports it']);
  });

  it('find cores that do not say what they are for', () => {
    expect(rules.undocumentedCores(file(core, 'export const a = 1;'))).toHaveLength(1);
    expect(
      rules.undocumentedCores(file(core, "import { b } from './b.js';\n\n/** What a is. */\nexport const a = b;")),
    ).toEqual([]);
    expect(
      rules.undocumentedCores(file(core, "/** The step. */\nimport { b } from './b.js';\nexport const a = b;")),
    ).toEqual([]);
  });
});
