// The table of errors: errors/*.yaml, one entry a code. What packages, the command and docs/errors.md say of a code is
// made from it, so that a new error is one entry.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { workspace } from './documents.js';

/** The files of the table, in the order of the page. */
const topicNames = [
  'unhandled',
  'connection',
  'handshake',
  'trust',
  'credentials',
  'messages',
  'pool',
  'command',
  'certificates',
] as const;

/** Who raises the code. */
export type Owner = 'core' | 'pool' | 'certs' | 'cli';

/** The commands whose flags differ from the library's options. */
export type Audience = 'command' | 'kn-sock' | 'proxy' | 'certs';

/** Which side most likely has to change something. */
type Side = 'local' | 'peer' | 'either';

/** What every code has, whether an error carries it or not. */
interface Section {
  readonly code: string;
  /** Markdown, as are the others. */
  readonly meaning: string;
  readonly causes: string;
  readonly fix: string;
}

/** A code that errors carry. */
export interface ErrorEntry extends Section {
  readonly kind: 'error';
  readonly side: Side;
  /** Whether the same call may succeed when simply repeated. */
  readonly retryable: boolean;
  /** What the command exits with. */
  readonly exit: number;
  /** The question or the step that most often helps, in one sentence; errors of the command bring their own. */
  readonly hint?: string;
  /** The same with the names of flags. */
  readonly hints: Readonly<Partial<Record<Audience, string>>>;
  /** Why it happens, as a clause; `explain()` of core prints it. */
  readonly why?: string;
}

/** A code of a process warning, or a word that ends a connection. */
export interface OtherEntry extends Section {
  readonly kind: 'warning' | 'word';
}

export interface Topic {
  readonly title: string;
  readonly owner: Owner;
  readonly introduction: string;
  readonly entries: readonly (ErrorEntry | OtherEntry)[];
}

export interface ErrorTable {
  readonly topics: readonly Topic[];
  /** What each exit code of the command means. */
  readonly exitCodes: ReadonlyMap<number, string>;
}

/** Reads the table; throws what is wrong with an entry. */
export function readErrorTable(): ErrorTable {
  const meanings = Object.entries(read('exit-codes') as Record<string, string>);
  const exitCodes = new Map(meanings.map(([code, meaning]) => [Number(code), meaning]));
  return { topics: topicNames.map((name) => topicOf(read(name) as RawTopic, exitCodes)), exitCodes };
}

/** Every code that errors carry. */
export function errorEntries({ topics }: ErrorTable, owner?: Owner): ErrorEntry[] {
  const chosen = topics.filter((topic) => owner === undefined || topic.owner === owner);
  return chosen.flatMap(({ entries }) => entries.filter((entry) => entry.kind === 'error'));
}

interface RawTopic {
  readonly title: string;
  readonly package: Owner;
  readonly introduction?: string;
  readonly codes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function read(name: string): unknown {
  return parse(readFileSync(path.join(workspace, 'errors', `${name}.yaml`), 'utf8'));
}

function topicOf(raw: RawTopic, exitCodes: ReadonlyMap<number, string>): Topic {
  const entries = Object.entries(raw.codes).map(([code, fields]) =>
    parseEntry(raw.package, code, fields, exitCodes),
  );
  return { title: raw.title, owner: raw.package, introduction: raw.introduction ?? '', entries };
}

/** @returns the entry, with what is left out at its default */
export function parseEntry(
  owner: Owner,
  code: string,
  fields: Readonly<Record<string, unknown>>,
  exitCodes: ReadonlyMap<number, string>,
): ErrorEntry | OtherEntry {
  const {
    kind = 'error',
    meaning,
    causes,
    fix,
    side,
    retryable = false,
    exit,
    hint,
    hints = {},
    why,
    ...rest
  } = fields;
  const odd: string[] = Object.keys(rest).map((name) => `has a field ${name}, which isn't known`);
  const ask = (good: boolean, what: string): void => {
    if (!good) odd.push(what);
  };
  ask(/^KNSOCK_[A-Z][A-Z0-9_]*[A-Z0-9]$/.test(code), "isn't called KNSOCK_…");
  ask(['error', 'warning', 'word'].includes(kind as string), `is of an unknown kind, ${String(kind)}`);
  for (const [name, text] of Object.entries({ meaning, causes, fix })) ask(isText(text), `lacks ${name}`);
  if (kind === 'error') {
    ask(['local', 'peer', 'either'].includes(side as string), 'lacks side: local, peer or either');
    ask(typeof retryable === 'boolean', 'has a retryable that is neither true nor false');
    ask(
      exitCodes.has(exit as number),
      `has an exit code that isn't in errors/exit-codes.yaml: ${String(exit)}`,
    );
    ask(owner === 'cli' || isText(hint), 'lacks hint');
    ask(owner !== 'core' || isText(why), 'lacks why');
    for (const name of Object.keys(hints as object))
      ask(audiences.has(name), `has hints for ${name}, which is no command`);
  }
  if (odd.length > 0) throw new Error(`errors/*.yaml: ${code} ${odd.join('; ')}`);
  const entry = { code, kind, meaning, causes, fix };
  return (kind === 'error' ? { ...entry, side, retryable, exit, hint, hints, why } : entry) as
    ErrorEntry | OtherEntry;
}

const audiences = new Set<string>(['command', 'kn-sock', 'proxy', 'certs'] satisfies Audience[]);

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}
