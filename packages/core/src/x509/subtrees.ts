import { contextTag, Tag, type DerReader } from './der.js';
import { readGeneralName, type GeneralName } from './general-names.js';

/** The name spaces that a CA's certificates must stay inside or outside of (RFC 5280 4.2.1.10). */
export interface NameConstraints {
  /** Subtrees that a name of their kind must be in. */
  readonly permitted: readonly GeneralName[];
  /** Subtrees that no name may be in. */
  readonly excluded: readonly GeneralName[];
}

const what = 'name constraints';

export function readNameConstraints(reader: DerReader): NameConstraints {
  const sequence = reader.enter(Tag.sequence, what);
  if (sequence.isDone) sequence.fail(`${what} are empty`);
  const permitted = readSubtrees(sequence, contextTag(0, 'constructed'));
  const excluded = readSubtrees(sequence, contextTag(1, 'constructed'));
  sequence.finish(what);
  return { permitted, excluded };
}

function readSubtrees(reader: DerReader, tag: number): GeneralName[] {
  if (!reader.has(tag)) return [];
  const sequence = reader.enter(tag, what);
  if (sequence.isDone) sequence.fail(`${what} have an empty list`);
  const subtrees: GeneralName[] = [];
  while (!sequence.isDone) {
    const subtree = sequence.enter(Tag.sequence, what);
    subtrees.push(readGeneralName(subtree, what, 'subnet'));
    // RFC 5280 fixes minimum at 0, which DER leaves out, and forbids maximum.
    subtree.finish(what);
  }
  return subtrees;
}
