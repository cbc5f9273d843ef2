import { describe, expect, it } from 'vitest';
import { readDocuments } from './documents.js';
import { runSnippet, snippets } from './snippets.js';

const shown = readDocuments().flatMap(({ path, text }) =>
  snippets(text).map((snippet) => ({ path, ...snippet })),
);

it.each(shown)('$path: the program $name runs as shown', async (snippet) => {
  const { code, stdout, stderr } = await runSnippet(snippet);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  if (snippet.output !== undefined) expect(stdout).toBe(snippet.output);
});

it('each of them would show if it went wrong: it says what it prints, or asserts', () => {
  const mute = shown.filter(({ output, code }) => output === undefined && !code.includes('assert'));
  // What this one leaves behind is looked at by migrating.test.ts.
  expect(mute.map(({ name }) => name)).toEqual(['self-signed']);
});

describe('the runner', () => {
  it('joins blocks of one name and leaves unmarked ones alone', () => {
    const text = '```ts run=a\none\n```\n```ts\nno\n```\n```js run=b\ntwo\n```\n```ts run=a\nthree\n```\n';
    expect(snippets(text).map(({ name, code }) => [name, code])).toEqual([
      ['a', 'one\nthree\n'],
      ['b', 'two\n'],
    ]);
  });

  it('knows what a program should print', () => {
    const [snippet] = snippets('```ts run=a\nx\n```\n```text output=a\nhello\n```\n');
    expect(snippet?.output).toBe('hello\n');
  });

  it('runs TypeScript against the packages, with files beside it', async () => {
    const code = [
      `import { readFileSync } from 'node:fs';`,
      `import { InvalidOptionError } from '@knsock/core/errors';`,
      `const error: InvalidOptionError = new InvalidOptionError('port', readFileSync('why.txt', 'utf8'));`,
      `console.log(error.code, error.message);`,
    ].join('\n');
    const outcome = await runSnippet(
      { name: 'errors', code, output: undefined },
      { files: { 'why.txt': 'no reason' } },
    );
    expect(outcome).toEqual({ code: 0, stdout: 'KNSOCK_INVALID_OPTION no reason\n', stderr: '' });
  });

  it("takes nothing for JavaScript that Node doesn't", async () => {
    const [typed] = snippets('```js run=typed\nconst port: number = 1;\n```\n');
    const outcome = await runSnippet(typed ?? { name: 'none', code: '', output: undefined });
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toContain('SyntaxError');
  });

  it('tells of a program that fails', async () => {
    const outcome = await runSnippet({
      name: 'fails',
      code: `throw new Error('on purpose');`,
      output: undefined,
    });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain('on purpose');
  });

  it("kills a program that doesn't end", async () => {
    const endless = { name: 'endless', code: 'setInterval(() => {}, 1_000);', output: undefined };
    expect((await runSnippet(endless, { timeout: 300 })).code).toBeNull();
  });
});
