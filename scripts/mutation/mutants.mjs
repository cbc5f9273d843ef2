// The mutants of some sources: all of them stand in one instrumented copy, where a number switches each one on.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { root } from '../process.mjs';

const quiet = {
  isDebugEnabled: () => false,
  debug() {},
  info() {},
  warn: console.warn,
  error: console.error,
};

// Whatever a message says, a test that asked for its every word would only repeat it.
const options = { excludedMutations: ['StringLiteral'], ignorers: [], plugins: null };

/**
 * @param {readonly string[]} sources relative to the workspace
 * @returns {Promise<{ instrumented: Map<string, string>, mutants: object[] }>} each mutant with its file, first line,
 *   what is replaced by what, and a `key` that stays when the lines around it change
 */
export async function mutate(sources) {
  const contents = new Map(sources.map((source) => [source, readFileSync(path.join(root, source), 'utf8')]));
  const files = [...contents].map(([name, content]) => ({ name, content, mutate: true }));
  const made = await new Instrumenter(quiet).instrument(files, options);
  const seen = new Map();
  return {
    instrumented: new Map(made.files.map(({ name, content }) => [name, content])),
    mutants: made.mutants
      .filter(({ status }) => status !== 'Ignored')
      .map((mutant) => described(mutant, contents.get(mutant.fileName), seen)),
  };
}

function described({ id, fileName, location, mutatorName, replacement }, content, seen) {
  const lines = content.split('\n');
  const original = between(lines, location);
  const line = lines[location.start.line].trim();
  const identity = hash([fileName, line, original, mutatorName, replacement].join('\0'));
  const nth = (seen.get(identity) ?? 0) + 1; // the same change of the same words, further down
  seen.set(identity, nth);
  const key = `${identity}-${nth}`;
  return {
    id,
    key,
    file: fileName,
    line: location.start.line + 1,
    mutator: mutatorName,
    original,
    replacement,
  };
}

function between(lines, { start, end }) {
  if (start.line === end.line) return lines[start.line].slice(start.column, end.column);
  const inner = lines.slice(start.line + 1, end.line);
  return [lines[start.line].slice(start.column), ...inner, lines[end.line].slice(0, end.column)].join('\n');
}

/** A short name for a text, to see whether it changed. */
export function hash(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
