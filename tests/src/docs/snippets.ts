/**
 * Runs the programs that documents show, as a reader would.
 *
 * A block marked `ts run=NAME` is run; blocks of one name make one program, in their order. One marked `js` must also
 * be JavaScript for this Node as it stands. A `text output=NAME` block is what that program prints. `ts run=NAME certs` lays what `knsock certs init` makes beside the
 * program, `ts run=NAME pem` the files of kn-sock's page (`pem-files.ts`). Everything else is left alone.
 */
import { execFile } from 'node:child_process';
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inject } from 'vitest';
import { pemFiles } from './pem-files.js';

/** A program that a document shows. */
export interface Snippet {
  readonly name: string;
  readonly code: string;
  /** What the document says it prints, if it says so. */
  readonly output: string | undefined;
  /** Whether it is JavaScript, to be understood without TypeScript. */
  readonly plain?: boolean;
  /** Whether it expects the folder that `knsock certs init` makes. */
  readonly certs?: boolean;
  /** Whether it expects the files of kn-sock's page. */
  readonly pem?: boolean;
}

/** How a program ended. */
export interface Outcome {
  /** Null where it had to be killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Files laid beside the program, by name: certificates that it loads, for example. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly args?: readonly string[];
  /** Variables beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until the program is killed; 20,000 by default. */
  readonly timeout?: number;
}

/** The programs of a document, in the order of their first blocks. */
export function snippets(text: string): Snippet[] {
  const blocks = [...text.matchAll(/^```(?<info>[^\n`]+)\n(?<body>[^]*?)^```/gm)].map(({ groups }) => ({
    run: /^(?:ts|js)\b.*\brun=(?<name>[\w-]+)/.exec(groups?.['info'] ?? '')?.groups?.['name'],
    output: /^text\b.*\boutput=(?<name>[\w-]+)/.exec(groups?.['info'] ?? '')?.groups?.['name'],
    plain: /^js\b/.test(groups?.['info'] ?? ''),
    certs: /^(?:ts|js)\b.*\scerts\b/.test(groups?.['info'] ?? ''),
    pem: /^(?:ts|js)\b.*\spem\b/.test(groups?.['info'] ?? ''),
    body: groups?.['body'] ?? '',
  }));
  const names = new Set(blocks.flatMap(({ run }) => run ?? []));
  return [...names].map((name) => ({
    name,
    code: blocks
      .filter(({ run }) => run === name)
      .map(({ body }) => body)
      .join(''),
    output: blocks.find(({ output }) => output === name)?.body,
    plain: blocks.every(({ run, plain }) => run !== name || plain),
    certs: blocks.some(({ run, certs }) => run === name && certs),
    pem: blocks.some(({ run, pem }) => run === name && pem),
  }));
}

/** Runs a program in a folder of its own, against the packages built from their sources. */
export async function runSnippet(
  { name, code, plain, certs, pem }: Snippet,
  options: RunOptions = {},
): Promise<Outcome> {
  const folder = mkdtempSync(path.join(inject('programs'), `${name}-`));
  try {
    const program = `${name}.mjs`;
    const script = plain === true ? code : await withoutTypes(code);
    const files = { ...(pem === true && (await pemFiles())), ...options.files, [program]: script };
    for (const [file, content] of Object.entries(files)) {
      writeFileSync(path.join(folder, file), content);
    }
    if (plain === true) {
      const checked = await run(folder, ['--check', program]);
      if (checked.code !== 0) return checked;
    }
    if (certs === true) await run(folder, [inject('knsock'), 'certs', 'init']);
    return await run(folder, [program, ...(options.args ?? [])], options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withoutTypes(code: string): Promise<string> {
  // After a stat of a pipe Node would load esbuild a second time, from its symlink (see support/patience.ts).
  lstatSync('/');
  const { transformWithEsbuild } = await import('vite');
  return (await transformWithEsbuild(code, 'program.ts', { target: 'node20.19', sourcemap: false })).code;
}

function run(
  cwd: string,
  args: readonly string[],
  { timeout = 20_000, env }: Pick<RunOptions, 'timeout' | 'env'> = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd, timeout, killSignal: 'SIGKILL', env: { ...process.env, ...env } },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, stdout, stderr });
      },
    );
  });
}
