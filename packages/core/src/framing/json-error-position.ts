/** What a JSON text may go on with at one place. */
type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or ]' | ', or }' | 'end';

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![0-9A-Za-z_$.])/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * Where a text stops being JSON (RFC 8259), in UTF-16 code units from 0; the text's length where it ends too early,
 * -1 where it is JSON, null where it is JSON up to `farthest`. Runs only when `JSON.parse` has refused the text: V8 names the place in half of its messages,
 * differently by version, and quotes the text.
 */
export function jsonErrorPosition(text: string): number;
export function jsonErrorPosition(text: string, farthest: number): number | null;
export function jsonErrorPosition(text: string, farthest = Infinity): number | null {
  const scanner = new Scanner(text);
  while (scanner.step()) if (scanner.at > farthest) return null;
  return scanner.at < text.length || !scanner.done ? scanner.at : -1;
}

class Scanner {
  at = 0;
  readonly #text: string;
  readonly #open: ('{' | '[')[] = [];
  #expected: Expected = 'value';

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#expected === 'end';
  }

  /** Goes over one token; false at the end of the text or of what is JSON. */
  step(): boolean {
    this.#skip(SPACE);
    if (this.at >= this.#text.length) return false;
    switch (this.#expected) {
      case 'value':
        return this.#value();
      case 'value or ]':
        return this.#closes(']') || this.#value();
      case 'name':
        return this.#string(':');
      case 'name or }':
        return this.#closes('}') || this.#string(':');
      case ':':
        return this.#mark(':', 'value');
      case ', or ]':
        return this.#closes(']') || this.#mark(',', 'value');
      case ', or }':
        return this.#closes('}') || this.#mark(',', 'name');
      case 'end':
        return false;
    }
  }

  #value(): boolean {
    const character = this.#text[this.at];
    if (character === '{' || character === '[') {
      this.#open.push(character);
      return this.#mark(character, character === '{' ? 'name or }' : 'value or ]');
    }
    if (character === '"') return this.#string(this.#afterValue());
    if (!this.#skip(SCALAR)) return false;
    this.#expected = this.#afterValue();
    return true;
  }

  #closes(bracket: ']' | '}'): boolean {
    if (this.#text[this.at] !== bracket) return false;
    this.#open.pop();
    return this.#mark(bracket, this.#afterValue());
  }

  #mark(character: string, next: Expected): boolean {
    if (this.#text[this.at] !== character) return false;
    this.at++;
    this.#expected = next;
    return true;
  }

  // Stops at the character at fault: a control character, an unknown escape, the missing quote.
  #string(next: Expected): boolean {
    if (this.#text[this.at] !== '"') return false;
    for (this.at++; this.at < this.#text.length;) {
      const character = this.#text[this.at]!;
      if (character === '"') return this.#mark('"', next);
      if (character < ' ' || (character === '\\' && !this.#skip(ESCAPE))) return false;
      if (character !== '\\') this.at++;
    }
    return false;
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.#text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  #afterValue(): Expected {
    const inner = this.#open.at(-1);
    if (inner === undefined) return 'end';
    return inner === '{' ? ', or }' : ', or ]';
  }
}
