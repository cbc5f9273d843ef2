// The rows of the tables of options in docs/: names and defaults come from the tables by which options are read, what
// only people read (the reason of a default) stands beside this file. An option without a reason doesn't compile.
import type { Readers } from '@knsock/core/options';

/** The reason of a default; and for an option whose default is no plain value, the words for it. */
type Entry = string | readonly [shown: string, why: string];

type EntryOf<Reader> = Reader extends { readonly fallback: string | number | boolean }
  ? Entry
  : Exclude<Entry, string>;

/** The reasons for a table of options. */
export type Reasons<T> = { readonly [Name in keyof T]: EntryOf<T[Name]> };

/** An option as a page shows it. */
export interface OptionRow {
  readonly name: string;
  readonly shown: string;
  readonly why: string;
}

/**
 * The rows of a table, in the order of the reasons.
 * @param label what stands for the name, such as `profile.minVersion`
 */
export function rowsOf<T extends Readers>(
  table: T,
  reasons: Reasons<T>,
  label: (name: string) => string = (name) => `\`${name}\``,
): OptionRow[] {
  return Object.entries<Entry>(reasons as Readonly<Record<string, Entry>>).map(([name, entry]) => {
    const { fallback } = table[name] as { readonly fallback?: unknown };
    return { name: label(name), ...described(name, fallback, entry) };
  });
}

/** A table without some of its options, which another table shows; `kept` are shown here as well. */
export function without<T extends Readers, const Left extends string, const Kept extends string = never>(
  table: T,
  left: readonly Left[],
  kept: readonly Kept[] = [],
): Omit<T, Exclude<Left, Kept>> {
  const isLeft = (name: string): boolean =>
    (left as readonly string[]).includes(name) && !(kept as readonly string[]).includes(name);
  return Object.fromEntries(Object.entries(table).filter(([name]) => !isLeft(name))) as never;
}

/** The label of an option that is one function's: `interval` of `watchCredentials`. */
export function optionOf(owner: string): (name: string) => string {
  return (name) => `\`${name}\` of \`${owner}\``;
}

/** What isn't an option, and belongs among them. */
export function note(name: string, shown: string, why: string): OptionRow {
  return { name, shown, why };
}

/** A table of Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''].join('\n');
}

/** The usual table of options. */
export function optionTable(rows: readonly OptionRow[]): string {
  return markdownTable(
    ['option', 'default', 'why'],
    rows.map(({ name, shown, why }) => [name, shown, why]),
  );
}

function described(name: string, fallback: unknown, entry: Entry): Omit<OptionRow, 'name'> {
  const plain = plainValue(fallback);
  if (typeof entry === 'string') {
    if (plain === undefined) throw new Error(`the default of ${name} needs words`);
    return { shown: plain, why: entry };
  }
  if (plain !== undefined) throw new Error(`the default of ${name} is ${plain}, and needs no words`);
  return { shown: entry[0], why: entry[1] };
}

const MEBIBYTE = 2 ** 20;

/** A default as a page shows it; undefined for one that isn't plain, or is off. */
function plainValue(value: unknown): string | undefined {
  if (typeof value === 'string') return `\`'${value}'\``;
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number' || value === Infinity) return undefined;
  if (value === 2 / 3) return '2/3';
  return value > 0 && value % MEBIBYTE === 0 ? `${value / MEBIBYTE} MiB` : value.toLocaleString('en');
}
