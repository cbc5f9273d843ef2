/** The ratios to node:tls as bars, one group for each piece of work; readable on light and dark pages. */
import type { Row } from '../row.js';

const WIDTH = 760;
const LABELS = 210;
const VALUES = 60;
const BAR = 18;
const GAP = 30;
const COLOURS = { ours: '#2f81f7', others: '#8b949e', limit: '#d29922' } as const;
const OURS = /knsock|^(raw|lines|length-prefixed|json)|^pool$|^blocking|^import/;

export function chart(rows: readonly Row[]): string {
  const groups = groupsOf(rows);
  const longest = Math.max(1.2, ...[...groups.values()].flat().map(({ ratio }) => ratio?.median ?? 1));
  const scale = (WIDTH - LABELS - VALUES) / longest;
  const parts: string[] = [];
  let y = 24;
  for (const [work, group] of groups) {
    parts.push(text(0, y, work, 'font-weight="600"'));
    y += 8;
    const top = y;
    for (const row of group) {
      parts.push(bar(row, y, scale));
      y += BAR;
    }
    parts.push(limit(LABELS + scale, top, y));
    y += GAP;
  }
  return svg(parts, y);
}

/** Only what has something to be compared with; the first contestant is the line at 1. */
function groupsOf(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows)
    if (row.ratio !== null) groups.set(row.work, [...(groups.get(row.work) ?? []), row]);
  return groups;
}

function bar({ contestant, ratio }: Row, y: number, scale: number): string {
  const value = ratio?.median ?? 0;
  const length = value * scale;
  const colour = OURS.test(contestant) ? COLOURS.ours : COLOURS.others;
  const rectangle = `<rect x="${LABELS}" y="${y + 2}" width="${length.toFixed(1)}" height="${BAR - 4}" fill="${colour}"/>`;
  const label = text(LABELS - 8, y + BAR - 5, contestant, 'text-anchor="end"');
  return label + rectangle + text(LABELS + length + 6, y + BAR - 5, value.toFixed(2));
}

function limit(x: number, top: number, bottom: number): string {
  const at = x.toFixed(1);
  return `<line x1="${at}" x2="${at}" y1="${top}" y2="${bottom}" stroke="${COLOURS.limit}" stroke-dasharray="4 3"/>`;
}

function text(x: number, y: number, words: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}

function svg(parts: readonly string[], height: number): string {
  const style = 'text{fill:#57606a}@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}';
  const title = 'CPU time against the first of each group (1, dashed); longer is cheaper';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`,
    ` font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${title}">`,
    `<title>${title}</title><style>${style}</style>\n${parts.join('\n')}\n</svg>\n`,
  ].join('');
}
