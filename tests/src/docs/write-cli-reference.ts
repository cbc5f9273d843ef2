// Writes the generated parts of docs/cli.md anew: `npm run format` runs it.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { cliReference, withReference } from './cli-reference.js';
import { readDocument, workspace } from './documents.js';

const { path: file, text } = readDocument('docs/cli.md');
writeFileSync(path.join(workspace, file), withReference(text, await cliReference()));
