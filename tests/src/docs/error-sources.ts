// The sources that the table of errors is made into: what each package has to know of its codes at run time, and no more.
import { format, resolveConfig } from 'prettier';
import path from 'node:path';
import { workspace } from './documents.js';
import { errorEntries, type Audience, type ErrorEntry, type ErrorTable } from './error-table.js';

/** Every generated source: its path from the workspace's folder, and its text. */
export async function errorSources(table: ErrorTable): Promise<ReadonlyMap<string, string>> {
  const sources = {
    'packages/core/src/errors/codes.ts': codes(errorEntries(table, 'core'), {
      about: 'Every code that core raises. A code never changes its meaning.',
      type: 'ErrorCode',
    }),
    'packages/core/src/errors/causes.ts': causes(errorEntries(table, 'core')),
    'packages/pool/src/error-codes.ts': codes(errorEntries(table, 'pool'), {
      about: 'Every code that the pool raises.',
      type: 'PoolErrorCode',
    }),
    'packages/certs/src/error-codes.ts': codes(errorEntries(table, 'certs'), {
      about: 'Every code of a failure in making, keeping or reading certificates.',
      type: 'CertificateErrorCode',
    }),
    'packages/cli/src/exit-code-table.ts': exitCodes(table),
    'packages/cli/src/hint-table.ts': hints(errorEntries(table)),
  };
  const config = await resolveConfig(path.join(workspace, 'package.json'));
  const formatted = Object.entries(sources).map(
    async ([file, text]) => [file, await format(text, { ...config, parser: 'typescript' })] as const,
  );
  return new Map(await Promise.all(formatted));
}

const HEAD = '// Made from errors/*.yaml by `npm run format`: change it there.\n';

function codes(entries: readonly ErrorEntry[], { about, type }: { about: string; type: string }): string {
  const rows = entries.map(
    ({ code, hint = '', retryable }) => `${code}: ${retryable ? 'passing' : 'final'}(${quoted(hint)}),`,
  );
  const makers = ['final', 'passing'].filter((name) => rows.some((row) => row.includes(`: ${name}(`)));
  return `${HEAD}
interface CodeFacts {
  /** What to try next, in one sentence. */
  readonly hint: string;
  /** Whether the same call may succeed when simply repeated. */
  readonly retryable: boolean;
}

${makers.map((name) => `const ${name} = (hint: string): CodeFacts => ({ hint, retryable: ${String(name === 'passing')} });`).join('\n')}

/** ${about} */
export const codes = {
${rows.join('\n')}
} as const satisfies Record<string, CodeFacts>;

/** A stable name of a failure. */
export type ${type} = keyof typeof codes;
`;
}

function causes(entries: readonly ErrorEntry[]): string {
  const rows = entries.map(({ code, side, why = '' }) => `${code}: [${quoted(side)}, ${quoted(why)}],`);
  return `${HEAD}
import type { ErrorCode } from './codes.js';

/** \`'local'\`: this program or machine; \`'peer'\`: the other; \`'either'\`: one of them, which one can't be decided from here. */
export type Side = 'local' | 'peer' | 'either';

/** Why each failure happens, in words for people, and which side most likely has to change something. */
export const causes: Readonly<Record<ErrorCode, readonly [side: Side, why: string]>> = {
${rows.join('\n')}
};
`;
}

function exitCodes(table: ErrorTable): string {
  const entries = errorEntries(table);
  const rows = [...table.exitCodes].map(([code, meaning]) => {
    const causing = entries.filter(({ exit }) => exit === code).map((entry) => entry.code);
    return `{ code: ${code}, meaning: ${quoted(meaning)}, causes: [${causing.map(quoted).join(', ')}] },`;
  });
  return `${HEAD}
/** Why the command ended, as a number: curl's where curl has one for the cause. */
export interface ExitCode {
  /** What the process ends with. */
  readonly code: number;
  /** When it does. */
  readonly meaning: string;
  /** The error codes that lead to it. */
  readonly causes: readonly string[];
}

/** Every exit code. */
export const exitCodes: readonly ExitCode[] = [
${rows.join('\n')}
];
`;
}

function hints(entries: readonly ErrorEntry[]): string {
  const about: Record<Audience, [name: string, words: string]> = {
    command: [
      'commandHints',
      "What to try next, where the command can name its own flag instead of the library's option.",
    ],
    'kn-sock': ['knSockHints', 'The same for the command lines of kn-sock, whose flags have other names.'],
    proxy: ['proxyHints', 'The same for `knsock proxy`, which has neither a port nor a framing to choose.'],
    certs: ['certsHints', 'The same for `knsock certs`.'],
  };
  const tables = (Object.keys(about) as Audience[]).map((audience) => {
    const [name, words] = about[audience];
    const rows = entries.flatMap(({ code, hints: own }) =>
      own[audience] === undefined ? [] : [`${code}: ${quoted(own[audience])},`],
    );
    return `/** ${words} */\nexport const ${name}: Readonly<Record<string, string>> = {\n${rows.join('\n')}\n};\n`;
  });
  return `${HEAD}\n${tables.join('\n')}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
