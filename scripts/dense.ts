/**
 * How built code is written, for esbuild: what Node reads at each start, and what is installed, has no comments (those for users
 * stand in the types, those for authors in the sources) and no indentation. Names stay, since stack traces show them, and lines
 * stay short, since Node prints the line that threw.
 */
export const dense = {
  charset: 'ascii',
  legalComments: 'none',
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
} as const;

export const target = 'node20.19';
