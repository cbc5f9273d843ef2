/** docs/migrating-from-kn-sock holds everything that is on kn-sock's page, and what it shows is run. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startSslTcpServer } from '@knsock/core/kn-sock';
import { describe, expect, it } from 'vitest';
import { parseSslMessage } from '../../../packages/core/src/facade/ssl-message-options.js';
import { parseSslServer } from '../../../packages/core/src/facade/ssl-server-options.js';
import {
  chainRules,
  endpointRules,
  keyRules,
  verificationRules,
} from '../../../packages/cli/src/check/rules.js';
import { readChapters, workspace } from './documents.js';
import { pemFiles } from './pem-files.js';
import { runSnippet, snippets } from './snippets.js';

const page = readFileSync(path.join(workspace, 'tests/corpora/kn-sock/secure-tcp.md'), 'utf8');
const text = readChapters('docs/migrating-from-kn-sock');

interface Block {
  readonly heading: string;
  /** Such as `python` or `ts run=sync pem`. */
  readonly info: string;
  readonly code: string;
}

/** The fenced blocks of a text, each under its nearest heading. */
function blocks(markdown: string): Block[] {
  const parts = markdown.matchAll(/^#+ (?<heading>.+)$|^```(?<info>[^\n]*)\n(?<code>[^]*?)^```$/gm);
  let heading = '';
  return [...parts].flatMap(({ groups }) => {
    if (groups?.['heading'] !== undefined) heading = groups['heading'];
    return groups?.['code'] === undefined
      ? []
      : [{ heading, info: groups['info'] ?? '', code: groups['code'] }];
  });
}

/** The rows of the first table under a heading, as their cells. */
function table(heading: string): string[][] {
  const section = text.split(new RegExp(`^#+ ${heading}$`, 'm'))[1]?.split(/^#/m)[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const theirs = blocks(page);
const ours = blocks(text);
const linesOf = (code: string): string[] => code.split('\n').filter((line) => line.trim() !== '');

describe("every snippet of kn-sock's page", () => {
  it('is found', () => {
    expect(theirs.map(({ info }) => info)).toEqual(expect.arrayContaining(['python', 'bash']));
    expect(theirs.length).toBe(20);
  });

  it.each(theirs)('has its line under $heading, and beside it one that is run', ({ heading, info, code }) => {
    const section = ours.filter((block) => block.heading === heading);
    const excerpt = section.find((block) => block.info === info);
    expect(excerpt, 'an excerpt of it').toBeDefined();
    const known = new Set(linesOf(code));
    expect(linesOf(excerpt?.code ?? '').filter((line) => !known.has(line))).toEqual([]);
    expect(section.filter((block) => /\b(run|recipe)=|^sh cli$/.test(block.info))).not.toEqual([]);
  });
});

describe("every name of kn-sock's page", () => {
  // The last use case speaks of a database driver; what it has of kn-sock, the others have too.
  const python = theirs
    .filter(({ info, heading }) => info === 'python' && heading !== 'Database Connection Proxy')
    .map(({ code }) => code)
    .join('\n');
  const names = (heading: string) =>
    table(heading)
      .map(([theirs = '']) => theirs)
      .join('\n');

  it.each([
    ...new Set(
      [...python.matchAll(/from kn_sock[.\w]* import (.+)/g)].flatMap(([, list = '']) => list.split(', ')),
    ),
  ])('%s has its line', (name) => {
    expect(names('Names')).toContain(name);
  });

  it.each([
    ...new Set(
      [...python.matchAll(/\b(?:conn|pool|client_socket|writer)\.(\w+)\(/g)].map(([, name = '']) => name),
    ),
  ])('the method %s has its line', (name) => {
    expect(names('Names')).toContain(`.${name}(`);
  });

  it.each(parametersOf(python))('the parameter %s has its line', (name) => {
    expect(names('Parameters')).toContain(`\`${name}\``);
  });

  it.each(
    [...new Set([...python.matchAll(/\bssl\.(\w+(?:\.\w+)*)/g)].map(([, name = '']) => name))].filter(
      isCalled,
    ),
  )('ssl.%s has its line', (name) => {
    const rows = ['Names', 'Custom SSL Context', 'Error Handling'].map(names).join('\n');
    expect(rows).toContain(name);
  });

  it.each(
    [...python.matchAll(/\bcontext\.load_\w+\((.*)\)/g)].flatMap(
      ([, list = '']) => list.match(/\w+(?==)/g) ?? [],
    ),
  )('the parameter %s of an SSLContext has its line', (name) => {
    expect(names('Custom SSL Context')).toContain(name);
  });

  it.each([...new Set([...python.matchAll(/\bcontext\.(\w+)/g)].map(([, name = '']) => name))])(
    'context.%s has its line',
    (name) => {
      expect(names('Custom SSL Context')).toContain(name);
    },
  );
});

describe('the parameters', () => {
  const meaningOf = (name: string) =>
    table('Parameters').find(([, here = '']) => here.startsWith(`\`${name}`))?.[1];

  it('have the documented defaults', async () => {
    const { timeout, until, maxReplyBytes, verify } = parseSslMessage('localhost', 1, '', {});
    expect({ until, verify }).toEqual({ until: { quiet: 250 }, verify: true });
    expect(meaningOf('until')).toContain('`{ quiet: 250 }` (default');
    expect(meaningOf('verify')).toContain('`verify: true` (default)');
    expect(meaningOf('timeout')).toContain(`(${timeout.toLocaleString('en')})`);
    expect(meaningOf('maxReplyBytes')).toContain(`(${maxReplyBytes / 1_048_576} MiB)`);
    const files = await pemFiles();
    const sslContext = { cert: files['server.crt'], key: files['server.key'] };
    expect(meaningOf('host')).toContain(`\`'${(await parseSslServer(0, { sslContext })).host}'\``);
  });

  it("in kn-sock's spelling are refused with the one that was meant", async () => {
    const refused = startSslTcpServer(0, () => undefined, { require_client_cert: true } as object);
    await expect(refused).rejects.toThrow('did you mean requireClientCert?');
    expect(text).toContain('did you mean requireClientCert?');
  });
});

it("has every heading of kn-sock's page", () => {
  const headings = (markdown: string) =>
    [...markdown.replace(/^```[^]*?^```$/gm, '').matchAll(/^#{2,} (.+)$/gm)].map(([, heading]) => heading);
  const here = new Set(headings(text));
  expect(headings(page).length).toBeGreaterThan(30);
  expect(headings(page).filter((heading) => !here.has(heading))).toEqual([]);
});

describe("the lists of kn-sock's page", () => {
  const rules = new Set(
    [...chainRules, ...keyRules, ...verificationRules, ...endpointRules].map(({ id }) => id),
  );

  it('each item of its security checklist has a rule of knsock check', () => {
    const items = [...page.matchAll(/^- \[ \] (.+)$/gm)].map(([, item = '']) => item);
    expect(items).toHaveLength(10);
    expect(table('Security Checklist').map(([item]) => item)).toEqual(items);
    const named = table('Security Checklist').map(
      ([, link = '']) => /^\[`(.+)`\]\(\.\.\/check\.md#\1\)$/.exec(link)?.[1] ?? `not a link: ${link}`,
    );
    expect(named.filter((rule) => !rules.has(rule))).toEqual([]);
    expect(new Set(named).size).toBe(items.length);
  });

  it('each of its troubles has its errors', () => {
    const troubles = [...page.matchAll(/^\d\. \*\*(.+)\*\*$/gm)].map(([, trouble = '']) => trouble);
    expect(troubles).toHaveLength(4);
    const rows = table('Common SSL Issues');
    expect(rows.map(([trouble = '']) => /\*\*(.+)\*\*/.exec(trouble)?.[1])).toEqual(troubles);
    for (const [, errors] of rows) expect(errors).toMatch(/\(\.\.\/errors\.md#knsock_\w+\)/);
  });
});

it("the self-signed program leaves a server's certificate that is its own CA, and a key for its owner alone", async () => {
  const program = snippets(text).find(({ name }) => name === 'self-signed');
  const check = `
import { stat } from 'node:fs/promises';
import { inspect, verifyChain } from '@knsock/certs';
const file = 'server.crt';
const { ok } = await verifyChain({ chain: { file }, ca: { file }, name: 'localhost' });
const [{ notAfter }] = (await inspect({ file })).items as [{ notAfter: Date }];
const days = Math.round((Number(notAfter) - Date.now()) / 86_400_000);
console.log(ok, days, ((await stat('server.key')).mode & 0o777).toString(8));`;
  const outcome = await runSnippet({
    name: 'self-signed',
    code: `${program?.code}${check}`,
    output: undefined,
  });
  expect(outcome).toEqual({ code: 0, stdout: 'true 365 600\n', stderr: '' });
});

it('every program in TypeScript there is run', () => {
  expect(ours.filter(({ info }) => info.startsWith('ts') && !info.includes('run='))).toEqual([]);
});

/** The names of keyword arguments in calls of kn-sock's functions. */
function parametersOf(python: string): string[] {
  const calls = python.matchAll(
    /\b(?:(?:start|send)_(?:async_)?ssl_\w+|TCPConnectionPool)\((?<args>[^]*?)\n\)/g,
  );
  const names = [...calls].flatMap(({ groups }) => [...(groups?.['args'] ?? '').matchAll(/(\w+)=/g)]);
  return [...new Set(names.map(([, name = '']) => name))];
}

/** `ssl.Purpose` alone is the beginning of a longer name. */
function isCalled(name: string): boolean {
  return !['Purpose', 'TLSVersion'].includes(name);
}
