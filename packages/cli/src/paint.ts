/**
 * Colours that can't be forged. Messages contain text of peers and files, so every control character
 * is escaped at the very end; until then our own colours are marks with a secret that is different in each process.
 */
import { printableLines } from '@knsock/core/errors';
import picocolors from 'picocolors';

type Color = 'red' | 'yellow' | 'cyan' | 'dim';

/** Each adds its colour to a text. */
export type Paints = Readonly<Record<Color, (text: string) => string>>;

const ESCAPE = '\u001b';
let mark: string | undefined;

/** The colours, or functions that return the text unchanged. */
export function paintsFor(wanted: boolean): Paints {
  const colors = picocolors.createColors(wanted);
  if (!wanted) return colors;
  const secret = (mark ??= process.getBuiltinModule('node:crypto').randomUUID());
  const paint = (name: Color) => (text: string) =>
    colors[name](printableLines(text)).replaceAll(ESCAPE, secret);
  return { red: paint('red'), yellow: paint('yellow'), cyan: paint('cyan'), dim: paint('dim') };
}

/** Final lines: with our colours, and all other control characters escaped. */
export function shown(text: string): string {
  const lines = printableLines(text);
  return mark === undefined ? lines : lines.replaceAll(mark, ESCAPE);
}
