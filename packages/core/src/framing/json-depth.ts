import { InvalidJsonError } from '../errors/index.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Refuses JSON whose lists and objects are nested deeper than `most`, before `JSON.parse` builds them: nesting costs a
 * hundred times what flat JSON of the same length does. Reads bytes, of whatever they are, and stops at the first fault.
 * @throws InvalidJsonError with the place
 */
export function refuseDepth(payload: Uint8Array, most: number): void {
  if (payload.length <= most) return;
  let depth = 0;
  for (let at = 0; at < payload.length; at += 1) {
    const byte = payload[at] as number;
    if (byte === QUOTE) at = endOfString(payload, at + 1);
    // `{` and `[`, `}` and `]` differ in one bit.
    else if ((byte | 0x20) === 0x7b) depth += 1;
    else if ((byte | 0x20) === 0x7d) depth -= 1;
    if (depth > most) throw tooDeep(at, most);
  }
}

function endOfString(payload: Uint8Array, from: number): number {
  let at = from;
  while (at < payload.length && payload[at] !== QUOTE) at += payload[at] === BACKSLASH ? 2 : 1;
  return at;
}

function tooDeep(at: number, most: number): InvalidJsonError {
  const place = `byte ${(at + 1).toLocaleString('en')}`;
  return new InvalidJsonError(`a message's JSON is nested deeper than ${most} levels, from ${place} on`, {
    hint: 'Raise maxDepth of json() where messages need such depth.',
  });
}
