// One apostrophe: pages have \u2019 in prose, and sources ' everywhere, which can be typed, searched for and shown on
// every terminal.

const code = /(^(?:```|~~~)[^]*?^(?:```|~~~)|`[^`\n]*`|<!--[^]*?-->|\]\([^)\s]*\))/m;
const straight = /(?<=[\p{L}\d`)*\]])'(?=(?:s|t|re|ve|ll|d|m)\b)|(?<=\p{L}s)'(?= \p{Ll})/gu;

/** A page, or a part of one, with \u2019 for each apostrophe of its prose. */
export function typographic(markdown: string): string {
  // An apostrophe may stand behind code, so that pieces are put together by what a letter can't be.
  const pieces = markdown.split(new RegExp(code, 'gm'));
  const prose = pieces.map((piece, index) => (index % 2 === 0 ? piece : '`'.repeat(piece.length)));
  const set = prose.join('').replace(straight, '\u2019');
  let at = 0;
  return pieces
    .map((piece, index) => {
      const from = at;
      at += piece.length;
      return index % 2 === 0 ? set.slice(from, at) : piece;
    })
    .join('');
}
