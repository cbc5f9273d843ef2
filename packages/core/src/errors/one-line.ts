const LONGEST = 1_000;

/** Text that may come from a peer, as a log or terminal can show it: control characters are escaped. */
export function oneLine(text: string, { keepLines = false }: { keepLines?: boolean } = {}): string {
  const safe = text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (char) =>
    keepLines && char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return keepLines || safe.length <= LONGEST ? safe : `${safe.slice(0, LONGEST)}…`;
}
