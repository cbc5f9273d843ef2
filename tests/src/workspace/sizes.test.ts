import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { importedSize } from '../../../scripts/sizes.mjs';

it('adds up a file and what it imports, each once, without what it loads on demand', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'knsock-sizes-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const files = {
    'index.js': `import { a } from "./a.js";\nimport "./b.js";\nimport { x } from "node:fs";\nexport { a };\nconst later = () => import("./later.js");\n`,
    'a.js': `import x from"node:fs";import"./b.js";export const a=x;\n`,
    'b.js': `export { c } from "./c.js";\n`,
    'c.js': `export const c = 1;\n`,
    'later.js': `export const later = 1;\n`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const read = ['index.js', 'a.js', 'b.js', 'c.js'] as const;
  expect(importedSize(path.join(folder, 'index.js'))).toBe(
    read.reduce((total, name) => total + files[name].length, 0),
  );
});
