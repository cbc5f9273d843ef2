/** The rows as Markdown tables, one for each piece of work, which read well in a terminal too. */
import type { Machine } from '../machine.js';
import type { Row } from '../row.js';
import type { Spread } from '../statistics.js';

const HEADINGS = ['', 'value: median (min–max)', 'a second', 'waiting', 'against', 'target'];

export function tables(rows: readonly Row[]): string {
  return [...groups(rows)].map(([title, group]) => `### ${title}\n\n${table(group)}\n`).join('\n');
}

export function heading(machine: Machine): string {
  const { date, node, openssl, cpu, cores, memoryGiB, loadBefore } = machine;
  return `${date}: Node ${node} (OpenSSL ${openssl}), ${cpu}, ${cores} cores, ${memoryGiB} GiB; load before ${loadBefore.toFixed(1)}`;
}

function groups(rows: readonly Row[]): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const title = `${row.work} (${row.unit})`;
    found.set(title, [...(found.get(title) ?? []), row]);
  }
  return found;
}

function table(rows: readonly Row[]): string {
  // The first is what the others are compared with.
  const headings = HEADINGS.with(4, `against ${rows[0]?.contestant ?? ''}`);
  const cells = [headings, ...rows.map(cellsOf)];
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head, ...body] = cells.map(line);
  return [head, rule, ...body].join('\n');
}

function cellsOf(row: Row): string[] {
  return [
    row.contestant,
    inFull(row.value),
    row.perSecond === null ? '' : Math.round(row.perSecond.median).toLocaleString('en'),
    row.waiting === null ? '' : `${Math.round(row.waiting * 100)} %`,
    row.ratio === null ? '' : inFull(row.ratio),
    row.target === null ? '' : `${row.target.text} ${row.target.met ? 'met' : 'MISSED'}`,
  ];
}

function inFull({ min, median, max }: Spread): string {
  return min === max ? figure(median) : `${figure(median)} (${figure(min)}–${figure(max)})`;
}

/** Three digits are all that such measurements have. */
function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
