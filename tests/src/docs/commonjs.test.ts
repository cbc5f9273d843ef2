/** "`require` works too": the programs of the packages' pages as CommonJS, by Node alone, on packages that are built. */
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { knsock } from '../support/command.js';
import { ExampleCopies, runNode } from '../support/example-copies.js';
import { readDocument } from './documents.js';
import { snippets } from './snippets.js';

const pages = [
  'docs/certificates.md',
  ...['core', 'certs', 'pool'].map((name) => `packages/${name}/README.md`),
];
const programs = pages.flatMap((page) =>
  snippets(readDocument(page).text).map((snippet) => ({ page, ...snippet })),
);

let copies: ExampleCopies;
beforeAll(async () => {
  copies = await ExampleCopies.create();
});
afterAll(() => copies[Symbol.asyncDispose]());

it.each(programs)('$page: $name', async ({ name, code, output, certs }) => {
  const folder = copies.lay(`commonjs-${name}`, { 'program.cjs': asCommonJs(code) });
  if (certs === true) expect(await knsock(['certs', 'init'], { cwd: folder })).toMatchObject({ code: 0 });
  const outcome = await runNode(folder, ['program.cjs'], { signal: AbortSignal.timeout(20_000) });
  expect(outcome).toEqual({ code: 0, output: output ?? (expect.any(String) as string) });
});

/** `import` becomes `require`; what awaits at the top goes into an async function, as one would write it. */
function asCommonJs(code: string): string {
  const module = ts.ModuleKind.CommonJS;
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module, target: ts.ScriptTarget.ES2022 },
  });
  expect(outputText).toMatch(/require\("@knsock\/\w+"\)/);
  expect(outputText).not.toMatch(/^import /m);
  return `(async () => {\n${outputText}\n})();\n`;
}
