import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { documentFiles, markdownIn } from '../../../scripts/documents.mjs';

/** The folder of the workspace. */
export const workspace = fileURLToPath(new URL('../../../', import.meta.url));

/** A Markdown file of the project. */
export interface Document {
  /** From the workspace's folder, with forward slashes: `docs/errors.md`. */
  readonly path: string;
  readonly text: string;
}

/** Every document for readers: at the root, in docs/ and its chapters, and those of each package and example. */
export function readDocuments(): Document[] {
  return documentFiles().map(readDocument);
}

/** Reads one document, by its path from the workspace's folder. */
export function readDocument(file: string): Document {
  return { path: file, text: readFileSync(path.join(workspace, file), 'utf8') };
}

/** The documents of a folder as one text. */
export function readChapters(folder: string): string {
  return markdownIn(folder)
    .map((file) => readDocument(file).text)
    .join('\n');
}
