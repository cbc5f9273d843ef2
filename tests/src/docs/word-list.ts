/** Words of a private dialect, and the term to write instead. The list grows: what a reader stumbled over goes here. */
const wordList: readonly { readonly word: RegExp; readonly write: string }[] = [
  { word: /\bwho(?:m)?ever\b/i, write: 'the one concerned: the client, the caller, the program' },
  { word: /\bmend(?:s|ed|ing)?\b/i, write: 'fix' },
  {
    word: /\b(?:let|lets|letting) (?:\w+ )?in\b(?! (?:the|a|an|its|your|this|that|order)\b)/i,
    write: 'admit, accept',
  },
  { word: /\bturn(?:s|ed)? away\b/i, write: 'refuse, close' },
  { word: /\bnewcomers?\b/i, write: 'new connection, new client' },
  { word: /\bstrangers?\b/i, write: 'unauthenticated client, attacker' },
  { word: /\bjudg(?:e|es|ed|ing|e?ment)\b/i, write: 'verify, check, validate' },
  { word: /\bverdicts?\b(?![`''])/i, write: 'verification, result' },
  { word: /\bwhole or not there\b/i, write: 'written atomically' },
  { word: /\bLeft to you\b/, write: 'Not included' },
  { word: /\bat hand\b/i, write: 'loaded, available' },
  { word: /\bsomebody\b/i, write: 'a client, an attacker, another process' },
  { word: /\beverybody\b/i, write: 'every peer, every client, all users' },
  { word: /\b(?:is|are|be|was|were|been|gets?) told\b/i, write: 'is reported, is called, receives' },
  { word: /\bheed(?:s|ed)?\b/i, write: 'respect, follow' },
  { word: /(?<!\bload\s+)\bbalancers?\b/i, write: 'load balancer' },
  { word: /\bin plain\b(?! (?:text|technical|TCP|English|values|JavaScript|data))/i, write: 'in plain text' },
];

/** Those that stand for nothing else in sources, neither as a name nor as a term of the field. */
const inSources: readonly RegExp[] = [
  /\blets? in (?!the\b|a\b|an\b|its\b|this\b|that\b|order\b)/i,
  /\bwho(?:m)?ever\b/i,
  /\bmend(?:s|ed|ing)?\b/i,
  /\bturn(?:s|ed)? away\b/i,
  /\bnewcomers?\b/i,
  /\bsomebody\b/i,
  /\beverybody\b/i,
  /\b(?:is|are|be|was|were|been|gets?) told\b/i,
  /\bheed(?:s|ed)?\b/i,
];

/** Each line of a source with a word that isn't for comments, titles or messages either. */
export function privateLines(source: string): string[] {
  return source.split('\n').filter((line) => inSources.some((word) => word.test(line)));
}

/** What of a text is prose: without code, links' targets and names of things. */
export function proseOf(markdown: string): string {
  return markdown
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '`')
    .replace(/\]\([^)\s]*\)/g, ']');
}

/** Each use of a listed word, with the term to write, and what stands around it. */
export function privateWords(text: string): string[] {
  return wordList.flatMap(({ word, write }) =>
    [...text.matchAll(new RegExp(word, 'gi'))].map(({ 0: found, index }) => {
      const around = text.slice(Math.max(0, index - 40), index + found.length + 40).replace(/\s+/g, ' ');
      return `"${found}": write ${write} (${around})`;
    }),
  );
}
