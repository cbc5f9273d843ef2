/** The pages of the documentation, which the package @knsock/core contains. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './usage-error.js';

/** Set by the build; run from source, the command reads the pages of the workspace. */
declare const BUILT_VERSION: string | undefined;

/** The names of all pages, such as `errors`, in their order; the first page of a folder has the folder's. */
export function pageNames(): string[] {
  return [...pageFiles().keys()].sort();
}

/** A page as Markdown. @param name one of `pageNames` */
export function readPage(name: string): string {
  return readFileSync(path.join(folder(), pageFiles().get(name) ?? `${name}.md`), 'utf8');
}

/** Files by the names of their pages. */
function pageFiles(): ReadonlyMap<string, string> {
  const files = readdirSync(folder(), { encoding: 'utf8', recursive: true });
  const pages = files.filter((file) => file.endsWith('.md') && file !== 'README.md');
  return new Map(
    pages.map((file) => [file.replaceAll(path.sep, '/').replace(/(?:\/README)?\.md$/, ''), file]),
  );
}

/** Each section of docs/errors.md without its heading, by its code. */
export function errorSections(page: string): ReadonlyMap<string, string> {
  const sections = page.split(/^(?=#{2,3} )/m).filter((text) => text.startsWith('### KNSOCK_'));
  return new Map(
    sections.map((text) => [text.slice(4, text.indexOf('\n')).trim(), text.slice(text.indexOf('\n'))]),
  );
}

/** Markdown for a terminal: links and emphasis as plain text, without the markers of generated parts. */
export function plainText(markdown: string): string {
  return markdown
    .replace(/^<!--.*-->\n*/gm, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('**', '')
    .trim();
}

function folder(): string {
  if (typeof BUILT_VERSION !== 'string') return fileURLToPath(new URL('../../../docs', import.meta.url));
  try {
    return path.dirname(createRequire(import.meta.url).resolve('@knsock/core/docs/errors.md'));
  } catch (cause) {
    const error = new UsageError("the pages aren't installed", 'Install @knsock/cli again.', 'KNSOCK_READ');
    error.cause = cause;
    throw error;
  }
}
