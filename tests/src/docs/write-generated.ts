// Writes what is made from other sources: parts of pages, and the sources that the table of errors is made into.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryAddress } from '../../../packages/core/src/errors/documentation.js';
import { publishedPackages } from '../../../scripts/packages.mjs';
import { readDocument, workspace } from './documents.js';
import { errorPage } from './error-page.js';
import { errorSources } from './error-sources.js';
import { readErrorTable } from './error-table.js';
import { addressed } from './manifests.js';
import { withReference } from './reference.js';

function rewrite(document: string, parts: Readonly<Record<string, string>>): void {
  const { path: file, text } = readDocument(document);
  writeFileSync(path.join(workspace, file), withReference(text, parts));
}

const table = readErrorTable();
for (const [file, text] of await errorSources(table)) writeFileSync(path.join(workspace, file), text);
rewrite('docs/errors.md', errorPage(table));

for (const { folder, manifest } of publishedPackages()) {
  const written = addressed(manifest as Record<string, unknown>, path.basename(folder), repositoryAddress);
  const text = JSON.stringify(written, null, 2);
  writeFileSync(path.join(folder, 'package.json'), `${text}\n`);
}

// After the sources that they import.
const { optionParts } = await import('./options/option-pages.js');
for (const [page, parts] of Object.entries(optionParts)) rewrite(page, parts);
const { checkReference } = await import('./check-reference.js');
const { cliReference } = await import('./cli-reference.js');
rewrite('docs/cli.md', await cliReference());
rewrite('docs/check.md', checkReference());
