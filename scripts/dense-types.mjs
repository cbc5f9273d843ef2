// Indents the built types of a package by tabs, a quarter of what the build writes: `node scripts/dense-types.mjs dist`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const [, , folder] = process.argv;

for (const name of readdirSync(folder).filter((file) => file.endsWith('.d.ts'))) {
  const file = path.join(folder, name);
  const dense = readFileSync(file, 'utf8').replace(/^(?: {4})+/gm, (indent) =>
    '\t'.repeat(indent.length / 4),
  );
  writeFileSync(file, dense);
}
