// What a document points at, as pure functions: files that it links or cites, and headings that links name.
import path from 'node:path';
import { anchor } from '../../../site/anchor.mjs';
import type { Document } from './documents.js';

const link = /\[[^\]]*\]\((?<to>[^)\s]+)\)/g;
const cited =
  /`(?<to>\.?\/?(?:packages|docs|tests|examples|benchmarks|scripts|\.ci|\.changeset)\/[\w./@-]+)`/g;
const elsewhere = /^[a-z][a-z+.-]*:/i;
const fence = /^(```|~~~).*?^\1/gms;

/** A place that a document points at. */
export interface Pointer {
  /** As it is written. */
  readonly to: string;
  /** The file meant, from the workspace's folder; the document itself where only a heading is named. */
  readonly file: string;
  readonly heading: string | undefined;
}

/** Every relative link and every cited path of the workspace; web addresses and code blocks are left out. */
export function pointers({ path: from, text }: Document): Pointer[] {
  const prose = text.replace(fence, '');
  const links = [...prose.matchAll(link)].map((match) => match.groups?.['to'] ?? '');
  const paths = [...prose.matchAll(cited)].map((match) => match.groups?.['to'] ?? '');
  return [
    ...links.filter((to) => !elsewhere.test(to)).map((to) => pointer(from, to, path.posix.dirname(from))),
    ...paths.map((to) => pointer(from, to, '')),
  ];
}

/** The anchors of a document's headings, as Git hosts make them. */
export function anchors(text: string): Set<string> {
  const headings = text.replace(fence, '').matchAll(/^#{1,6} +(?<title>.+?) *$/gm);
  return new Set([...headings].map((match) => anchor(match.groups?.['title'] ?? '')));
}

function pointer(from: string, to: string, base: string): Pointer {
  const [file = '', heading] = to.split('#');
  return { to, file: file === '' ? from : path.posix.join(base, decodeURI(file)), heading };
}
