import { describe, expect, it } from 'vitest';
import { shippedText } from '../../../scripts/copy-docs.mjs';
import { errorEntries, readErrorTable } from '../docs/error-table.js';
import { readDocument, readDocuments } from '../docs/documents.js';
import { pointers } from '../docs/links.js';
import { knsock } from '../support/command.js';

describe('knsock explain', () => {
  it.each(['KNSOCK_PORT_IN_USE', 'port-in-use', 'knsock_port_in_use'])(
    '%s prints the section',
    async (code) => {
      const { code: exit, stdout } = await knsock(['explain', code]);
      expect(exit).toBe(0);
      expect(stdout).toMatch(
        /^KNSOCK_PORT_IN_USE\n\n[^]*\nUsual causes: [^]*\nWhat to do: [^]*exit code: 45\n$/,
      );
      expect(stdout).not.toMatch(/\*\*|KNSOCK_PERMISSION_DENIED/);
    },
  );

  it('knows every code that an error can have', async () => {
    const codes = errorEntries(readErrorTable()).map(({ code }) => code);
    const { stdout } = await knsock(['explain', ...codes, '--json']);
    const shown = JSON.parse(stdout) as { code: string; text: string }[];
    expect(shown.map(({ code }) => code)).toEqual(codes);
    expect(shown.filter(({ text }) => !/exit code: \d+$/.test(text))).toEqual([]);
  });

  it('suggests the intended code', async () => {
    const { code, stderr } = await knsock(['explain', 'KNSOCK_PORT_IN_USED']);
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean KNSOCK_PORT_IN_USE?');
  });
});

/** A page of docs/ as the package has it. */
const shipped = (page: string): string => shippedText(readDocument(`docs/${page}`).text, page);

describe('knsock docs', () => {
  it('lists the pages and prints one', async () => {
    const { stdout } = await knsock(['docs']);
    expect(stdout.split('\n')).toContain('operations');
    expect((await knsock(['docs', 'operations'])).stdout).toBe(shipped('operations.md'));
  });

  it('lists chapters by their folder, whose own name prints its first page', async () => {
    const folder = 'migrating-from-kn-sock';
    const listed = (await knsock(['docs'])).stdout.split('\n');
    expect(listed).toEqual(expect.arrayContaining([folder, `${folder}/names`]));
    expect((await knsock(['docs', folder])).stdout).toBe(shipped(`${folder}/README.md`));
    expect((await knsock(['docs', `${folder}/names`])).stdout).toBe(shipped(`${folder}/names.md`));
  });

  it('suggests the intended page', async () => {
    const { code, stderr } = await knsock(['docs', 'operation']);
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean operations?');
  });

  it("is named by help instead of files that aren't shipped", async () => {
    const helps = await Promise.all(
      [['--help'], ['check', '--help'], ['proxy', 'server', '--help']].map(knsockHelp),
    );
    for (const help of helps) expect(help).toMatch(/knsock docs [a-z]+/);
    for (const help of helps) expect(help).not.toMatch(/docs\/\w+\.md/);
  });
});

async function knsockHelp(args: string[]): Promise<string> {
  return (await knsock(args)).stdout;
}

it('an error names the command that explains it', async () => {
  const { stderr } = await knsock(['serve', '--no-such-flag']);
  expect(stderr).toMatch(/\n {2}more: knsock explain KNSOCK_USAGE\n/);
});

const pages = readDocuments().filter(({ path }) => path.startsWith('docs/'));

it.each(pages)('$path links only what the package ships, once links elsewhere are words', (page) => {
  const text: string = shippedText(page.text, page.path.slice('docs/'.length));
  const links = pointers({ ...page, text }).filter(({ to, file }) => to !== file);
  const isShipped = ({ file }: { file: string }) =>
    file.startsWith('docs/') && file !== 'docs/performance.md';
  expect(links.filter((one) => !isShipped(one))).toEqual([]);
});
