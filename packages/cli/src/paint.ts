/**
 * Colours that nobody else can write. Text of peers and files stands in what the command says, so every control character
 * is escaped last of all; our own colours stand as marks until then, and a mark has a secret that changes with the process.
 */
import { printableLines } from '@knsock/core/errors';
import picocolors from 'picocolors';

type Color = 'red' | 'yellow' | 'cyan' | 'dim';

/** Each puts a text into its colour. */
export type Paints = Readonly<Record<Color, (text: string) => string>>;

const ESCAPE = '\u001b';
let mark: string | undefined;

/** The colours, or functions that leave text as it is. */
export function paintsFor(wanted: boolean): Paints {
  const colors = picocolors.createColors(wanted);
  if (!wanted) return colors;
  const secret = (mark ??= process.getBuiltinModule('node:crypto').randomUUID());
  const paint = (name: Color) => (text: string) =>
    colors[name](printableLines(text)).replaceAll(ESCAPE, secret);
  return { red: paint('red'), yellow: paint('yellow'), cyan: paint('cyan'), dim: paint('dim') };
}

/** Lines as they are written: with our colours, and everything else that could act on a terminal escaped. */
export function shown(text: string): string {
  const lines = printableLines(text);
  return mark === undefined ? lines : lines.replaceAll(mark, ESCAPE);
}
