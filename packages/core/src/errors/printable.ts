/**
 * Text that a stranger chose, such as a name in a certificate or the path of a file, for a terminal, a log or an error
 * message. What could act instead of being read comes as `\u{1b}`: control characters (C0, DEL, C1), line ends, marks
 * that turn the direction of text, characters without width, and halves of surrogate pairs. The rest stays as it is.
 */
export function printable(text: string): string {
  // Nearly all text is plain ASCII, and errors are made where peers can cause many.
  return isPlain(text) ? text : text.replace(acting(), escaped);
}

/** The same for text of several lines that was put together here: line feeds and tabs stay. */
export function printableLines(text: string): string {
  return isPlain(text)
    ? text
    : text.replace(acting(), (mark) => (mark === '\n' || mark === '\t' ? mark : escaped(mark)));
}

/** JSON with every such character written as `\uXXXX`, so that it means the same and does nothing to a terminal. */
export function printableJson(value: unknown): string {
  const json = JSON.stringify(value);
  return isPlain(json) ? json : json.replace(acting(), (mark) => mark.split('').map(codeUnit).join(''));
}

const isPlain = (text: string): boolean => !/[^ -~]/.test(text);

const KINDS = ['Cc', 'Cf', 'Cs', 'Zl', 'Zp', 'Noncharacter_Code_Point', 'Default_Ignorable_Code_Point'];
let made: RegExp | undefined;

/** Made when it is first needed: V8 looks up all characters of these kinds where it reads such a pattern, at each start. */
const acting = (): RegExp => (made ??= new RegExp(`[${KINDS.map((kind) => `\\p{${kind}}`).join('')}]`, 'gu'));

const escaped = (mark: string): string => `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`;

const codeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
