/** A new client's p99 against the number of open connections, both on logarithmic scales; readable on light and dark pages. */
import type { Row } from '../row.js';
import { openIn } from '../work/scale.js';

const WIDTH = 760;
const HEIGHT = 340;
const LEFT = 60;
const RIGHT = 250;
const TOP = 20;
const BOTTOM = 40;
const COLOURS = ['#8b949e', '#2f81f7', '#d29922', '#3fb950'] as const;

interface Line {
  readonly name: string;
  readonly points: readonly (readonly [open: number, ms: number])[];
}

export function curve(rows: readonly Row[]): string {
  const lines = linesOf(rows);
  const points = lines.flatMap((line) => line.points);
  const x = scaleOf(
    points.map(([open]) => open),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scaleOf(
    points.map(([, ms]) => ms),
    HEIGHT - BOTTOM,
    TOP,
  );
  const axes = [...new Set(points.map(([open]) => open))].map((open) =>
    text(x(open), HEIGHT - BOTTOM + 18, open.toLocaleString('en'), 'text-anchor="middle"'),
  );
  const [least, most] = [Math.min(...points.map(([, ms]) => ms)), Math.max(...points.map(([, ms]) => ms))];
  const marks = [least, Math.sqrt(least * most), most].map((ms) =>
    text(LEFT - 8, y(ms) + 4, `${ms.toPrecision(2)} ms`, 'text-anchor="end"'),
  );
  const drawn = lines.map((line, index) =>
    draw(line, COLOURS[index % COLOURS.length] as string, index, x, y),
  );
  return svg([...axes, ...marks, ...drawn]);
}

function linesOf(rows: readonly Row[]): Line[] {
  const lines = new Map<string, [number, number][]>();
  for (const { work, contestant, unit, value } of rows) {
    if (!unit.endsWith('p99') || Number.isNaN(openIn(work))) continue;
    const name = `${contestant}, ${work.includes('idle') ? 'idle' : 'each sending once a second'}`;
    lines.set(name, [...(lines.get(name) ?? []), [openIn(work), value.median]]);
  }
  return [...lines].map(([name, points]) => ({ name, points }));
}

function scaleOf(values: readonly number[], from: number, to: number): (value: number) => number {
  const logs = values.map(Math.log);
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  return (value) => from + ((Math.log(value) - least) / (most - least || 1)) * (to - from);
}

function draw(
  { name, points }: Line,
  colour: string,
  index: number,
  x: (v: number) => number,
  y: (v: number) => number,
): string {
  const path = points.map(([open, ms]) => `${x(open).toFixed(1)},${y(ms).toFixed(1)}`).join(' ');
  const line = `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  const at = TOP + 10 + index * 20;
  const sample = `<rect x="${WIDTH - RIGHT + 20}" y="${at - 9}" width="10" height="10" fill="${colour}"/>`;
  return line + sample + text(WIDTH - RIGHT + 36, at, name);
}

function text(x: number, y: number, words: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${words}</text>`;
}

function svg(parts: readonly string[]): string {
  const style = 'text{fill:#57606a}@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}';
  const title = 'How long 99 of 100 new clients wait at most for their first answer, beside open connections';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}"`,
    ` font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${title}">`,
    `<title>${title}</title><style>${style}</style>\n${parts.join('\n')}\n</svg>\n`,
  ].join('');
}
