/** The floors check, seen failing on made-up files and silent on good ones. */
import { describe, expect, test } from 'vitest';
import { checkFile } from './floors.ts';
import { tokenize } from './tokens.ts';

describe('imports', () => {
  test.each([
    ['base/a.ts', "import { x } from '../wire/tcp.ts';", '1: imports ../wire/tcp.ts'],
    ['tcp/a.ts', "\nimport type { Stack } from '../stack/stack.ts';", '2: imports ../stack/stack.ts'],
    ['tcp/a.ts', "export * from '../ip/routes.ts';", '1: imports ../ip/routes.ts'],
    ['tcp/a.ts', "export { a } from '../crypto/isn.ts';", '1: imports ../crypto/isn.ts'],
    ['analyse/a.ts', "import '../tcp/tcb.ts';", '1: imports ../tcp/tcb.ts'],
    ['analyse/deep/a.ts', "const x = await import('../../stack/stack.ts');", '1: imports ../../stack/stack.ts'],
    ['stack/a.ts', "type T = import('../host/host.ts').Host;", '1: imports ../host/host.ts'],
    ['wire/a.ts', "import y = require('../capture/pcap.ts');", '1: imports ../capture/pcap.ts'],
    ['link/a.ts', "import { Host } from '../host/host.ts';", '1: imports ../host/host.ts'],
    ['sim/a.ts', "import { x } from '../dissect/tcpdump.ts';", '1: imports ../dissect/tcpdump.ts'],
    ['wire/a.ts', "import { readFileSync } from 'node:fs';", '1: imports node:fs, but floor wire runs without Node'],
    ['dissect/a.ts', "import { Command } from 'commander';", '1: imports the package commander'],
    ['base/a.ts', "import { x } from '../index.ts';", '1: imports ../index.ts, which is no floor'],
    ['base/a.ts', "import { x } from '../../test/x.ts';", '1: imports ../../test/x.ts, which is no floor'],
    ['other/a.ts', '', '1: folder src/other is no floor'],
    ['tcp/a.ts', 'import { a } from "../stack/a.ts" // double quotes', '1: imports ../stack/a.ts'],
    ['tcp/a.ts', 'const m = import(`../stack/a.ts`);', '1: imports ../stack/a.ts'],
  ])('%s: %s', (file, source, message) => {
    const breaches = checkFile(file, source);
    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toContain(message);
  });

  test.each([
    ['tcp/a.ts', "import { seqLt } from '../base/seq.ts';\nimport { b } from './b.ts';"],
    ['tcp/congestion/a.ts', "import { Tcb } from '../tcb.ts';"],
    ['testing/a.ts', "import { World } from '../sim/world.ts';\nimport { line } from '../dissect/tcpdump.ts';"],
    ['host/a.ts', "import type { Link } from '../link/link.ts';\nimport { hrtime } from 'node:process';"],
    ['bin/a.ts', "import { Command } from 'commander';\nimport { x } from '../analyse/x.ts';"],
    ['index.ts', "export { Stack } from './stack/stack.ts';"],
    [
      'base/a.ts',
      "// import { x } from '../stack/a.ts';\n/* import '../tcp/a.ts' */ const s = \"import '../tcp/b.ts'\";",
    ],
    ['base/a.ts', "const from = 1; f(from, '../stack/a.ts');"],
  ])('%s may: %s', (file, source) => {
    expect(checkFile(file, source)).toEqual([]);
  });
});

describe('clock, randomness, timers and platform', () => {
  test.each([
    ['const t = Date.now();', 'Date'],
    ['const t = new Date();', 'Date'],
    ['const t = performance.now();', 'performance'],
    ['setTimeout(() => {}, 1);', 'setTimeout'],
    ['const f = setInterval;', 'setInterval'],
    ['x(1, setImmediate);', 'setImmediate'],
    ['queueMicrotask(run);', 'queueMicrotask'],
    ['const r = Math . random();', 'Math.random'],
    ['const { random } = Math; const r = Math.random;', 'Math.random'],
    ['crypto.getRandomValues(b);', 'crypto'],
    ['if (process.env.X) run();', 'process'],
    ['const b = Buffer.alloc(4);', 'Buffer'],
    ['function f(b: Buffer): void {}', 'Buffer'],
    ["fetch('x');", 'fetch'],
    ['console.log(1);', 'console'],
    ['globalThis.setTimeout(f);', 'globalThis'],
    [`const s = \`a \${{ a: Date.now() }.a} b\`;`, 'Date'],
    ['const x = a / b; const y = c / Date.now();', 'Date'],
    ["const q = /'/; const t = Date.now(); const r = /'/;", 'Date'],
    ['const x = { Date };', 'Date'],
    ['const x = late ? Date : null;', 'Date'],
  ])('%s', (source, name) => {
    const breaches = checkFile('tcp/a.ts', `\n${source}`);
    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toContain(`2: uses ${name}, but floor tcp is sans-IO; `);
    expect(checkFile('host/a.ts', source)).toEqual([]);
  });

  test.each([
    '// Date.now() is what we never call',
    "const s = 'setTimeout';",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a source text, not a template
    'const s = `Buffer ${a} process`;',
    'host.fetch(1); a?.process; this.crypto = 1;',
    'const o = { process: 1, Date: 2 };',
    'interface X { readonly performance: number; process?: string }',
    'class A { process(x: number): void {} }',
    'const m = Math.max(1, 2) / 3 / 4;',
    'const re = /Date[\'"`]/; const after = 1;',
  ])('is content with %s', (source) => {
    expect(checkFile('tcp/a.ts', source)).toEqual([]);
  });
});

test('the scanner keeps its place in templates, regular expressions and odd quotes', () => {
  const texts = (source: string): string[] => tokenize(source).map((token) => token.text);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a source text, not a template
  expect(texts('`a${`b${c}d`}e` + f')).toEqual(['a', 'b', 'c', 'd', 'e', '+', 'f']);
  expect(texts('x = /[/"]/.test(y)')).toEqual(['x', '=', '/[/"]/', '.', 'test', '(', 'y', ')']);
  expect(texts("'it\\'s' 0x1_0000 1.5e-3 .5")).toEqual(["it\\'s", '0x1_0000', '1.5e-3', '.5']);
  expect(tokenize('a\n/* \n */ `\n` b').map((token) => token.line)).toEqual([1, 3, 4]);
  expect(texts('`unended ${ a')).toEqual(['unended ', 'a']);
});
