// Writes the generated parts of docs/cli.md and docs/check.md anew: `npm run format` runs it.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { checkReference } from './check-reference.js';
import { cliReference, withReference } from './cli-reference.js';
import { readDocument, workspace } from './documents.js';

function rewrite(document: string, parts: Readonly<Record<string, string>>): void {
  const { path: file, text } = readDocument(document);
  writeFileSync(path.join(workspace, file), withReference(text, parts));
}

rewrite('docs/cli.md', await cliReference());
rewrite('docs/check.md', checkReference());
