/** Directories that are broken or hostile: each ends in an error that says so, in time, and writes no certificate. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acmeCredentials, type AcmeOptions } from '@knsock/certs/acme';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startDirectory, type AcmeDirectory, type Answer, type Request } from './acme-directory.js';

let folder: string;
let server: AcmeDirectory;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-acme-'));
  server = await startDirectory();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const order = (changes: Partial<AcmeOptions> = {}) =>
  acmeCredentials({
    ...{ domains: ['a.example'], directory: server.url, directoryCa: server.ca, agree: true, dir: folder },
    ...{ challenge: 'http-01', httpChallenges: new Map<string, string>() },
    ...{ timeout: 5_000, orderTimeout: 15_000 },
    ...changes,
  });

/** The usual answer with some fields changed. */
const altered =
  (what: string, change: (fields: Record<string, unknown>) => object) =>
  (request: Request, usual: Answer): Answer | undefined =>
    request.what === what
      ? { ...usual, body: JSON.stringify(change(JSON.parse(usual.body ?? '{}') as Record<string, unknown>)) }
      : undefined;

const answered =
  (what: string, answer: Answer) =>
  (request: Request): Answer | undefined =>
    request.what === what ? answer : undefined;

const problem = (type: string, detail: string) =>
  JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail });

const endless: Answer = {
  raw: (response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  },
};
const silent: Answer = { raw: () => undefined };

const longList = Array.from({ length: 1_000 }, () => 'https://ca.example/a');

type Case = [string, AcmeDirectory['interfere'], string, RegExp, Partial<AcmeOptions>?];

const cases: Case[] = [
  [
    'a redirect',
    answered('new-order', { status: 302, headers: { location: '/x' } }),
    'DIRECTORY',
    /redirect/,
  ],
  [
    'an http URL in its directory',
    altered('directory', (fields) => ({ ...fields, newOrder: 'http://localhost/new-order' })),
    'DIRECTORY',
    /https URLs, not by http:/,
  ],
  [
    'a directory without an order',
    altered('directory', ({ newNonce }) => ({ newNonce })),
    'DIRECTORY',
    /newAccount/,
  ],
  [
    'text instead of a directory',
    answered('directory', { body: '<html>' }),
    'DIRECTORY',
    /no ACME directory/,
  ],
  ['a body without end', answered('order', endless), 'DIRECTORY', /over the limit of 1,048,576 bytes/],
  ['silence', answered('order', silent), 'DIRECTORY', /didn't answer within 300 ms/, { timeout: 300 }],
  [
    'an answer that breaks off',
    answered('order', {
      raw: (response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{', () => response.destroy());
      },
    }),
    'DIRECTORY',
    /broke off|aborted/,
  ],
  [
    'an order that never ends',
    altered('order', (fields) => ({ ...fields, status: 'processing' })),
    'DIRECTORY',
    /took longer than 600 ms/,
    { orderTimeout: 600 },
  ],
  [
    'more authorizations than names',
    altered('order', (fields) => ({ ...fields, authorizations: longList })),
    'DIRECTORY',
    /no list of 100 or fewer/,
  ],
  [
    'an authorization for another name',
    altered('authorization', (fields) => ({ ...fields, identifier: { type: 'dns', value: 'b.example' } })),
    'DIRECTORY',
    /a name that wasn't asked for/,
  ],
  [
    'a token that is a path',
    altered('authorization', (fields) => ({
      ...fields,
      challenges: [{ type: 'http-01', url: 'https://localhost/c', token: '../../secret/and/more' }],
    })),
    'DIRECTORY',
    /can't be answered/,
  ],
  [
    'another challenge alone',
    altered('authorization', (fields) => ({ ...fields, challenges: [{ type: 'dns-01' }] })),
    'VALIDATION',
    /doesn't offer http-01 for a\.example, but dns-01/,
  ],
  [
    'an authorization that failed without a reason',
    altered('authorization', (fields) => ({ ...fields, status: 'invalid' })),
    'VALIDATION',
    /didn't validate a\.example/,
  ],
  [
    'an order that failed',
    altered('order', (fields) => ({
      ...fields,
      status: 'invalid',
      error: JSON.parse(problem('caa', 'no')) as unknown,
    })),
    'VALIDATION',
    /\(caa\): no/,
  ],
  [
    'nonces that are never right',
    answered('new-order', { status: 400, body: problem('badNonce', 'no') }),
    'DIRECTORY',
    /badNonce/,
  ],
  [
    'text that paints the terminal',
    answered('new-order', { status: 403, body: problem('rejectedIdentifier', '\u001B[2J\u202Eevil') }),
    'REFUSED',
    /^\P{C}*$/u,
  ],
  ['an empty certificate', answered('certificate', { body: '' }), 'CERTIFICATE', /can't be read/],
  [
    'an order without a URL',
    answered('new-order', { status: 201, body: '{}' }),
    'DIRECTORY',
    /without a URL/,
  ],
  [
    'an account without a URL',
    answered('new-account', { status: 201, body: '{}' }),
    'DIRECTORY',
    /without a URL/,
  ],
  [
    'a list instead of an order',
    answered('order', { body: '[]' }),
    'DIRECTORY',
    /something else than a JSON object/,
  ],
  [
    'an unexplained refusal',
    answered('new-order', { status: 418, body: 'teapot' }),
    'DIRECTORY',
    /status 418/,
  ],
];

it.each(cases)('withstands %s', async (_what, interfere, code, message, changes = {}) => {
  server.interfere = interfere;
  await expect(order(changes)).rejects.toMatchObject({
    code: `KNSOCK_ACME_${code}`,
    message: expect.stringMatching(message) as string,
  });
  expect(await readdir(folder)).not.toContain('tls.crt');
});

it('gives an overloaded server a few attempts more', async () => {
  let failures = 0;
  server.interfere = ({ what }) => {
    if (what !== 'new-order' || failures === 2) return undefined;
    failures += 1;
    return { status: 503, headers: { 'retry-after': '0' }, body: 'busy' };
  };
  await using source = await order();
  expect(failures).toBe(2);
  expect(source.status().names).toEqual(['a.example']);
});

it('shows no key in what it throws', async () => {
  const hmacKey = Buffer.alloc(32, 'secret').toString('base64url');
  server.interfere = answered('new-account', { status: 403, body: problem('unauthorized', 'no') });
  const error = await order({ eab: { kid: 'k', hmacKey } }).catch((thrown: unknown) => thrown as Error);
  expect(error).toMatchObject({ problem: 'unauthorized' });
  const shown = JSON.stringify(error, Object.getOwnPropertyNames(error));
  expect(shown).not.toContain(hmacKey);
  expect(shown).not.toContain('PRIVATE KEY');
});
