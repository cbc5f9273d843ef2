import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { report } from '../../../scripts/api-report.mjs';

function reportOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'knsock-api-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return report({ 'a-package': path.join(folder, 'index.d.ts') });
}

it('names what is exported, and shows the types behind it in whichever file they stand, without comments', () => {
  const text = reportOf({
    'index.d.ts': `import { H as Hidden } from './chunk.js';\n/** What it does. */\nexport declare function open(how: Hidden): void;\ninterface Unused { a: string }\nexport {};\n`,
    'chunk.d.ts': `interface Hidden { port?: number | undefined; next: Deeper }\ntype Deeper = 'a' | 'b';\nexport type { Hidden as H };\n`,
  });
  expect(text).toContain('a-package\n  open\n');
  expect(text).toContain('export declare function open(how: Hidden): void;');
  expect(text).toContain('port?: number | undefined;');
  expect(text).toContain(`type Deeper = 'a' | 'b';`);
  expect(text).not.toContain('Unused');
  expect(text).not.toContain('What it does');
});

it('says something else once a member changes', () => {
  const before = reportOf({ 'index.d.ts': 'export interface Options { port: number }\n' });
  const after = reportOf({ 'index.d.ts': 'export interface Options { port: string }\n' });
  expect(after).not.toBe(before);
});
