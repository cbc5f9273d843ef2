import { beforeAll, expect, it } from 'vitest';
import { createAuthority, type Authority } from '../authorities/authority.js';
import type { IssueOptions } from '../issuing/issue.js';
import { readPrivateKey } from '../keys/keys.js';
import { checkIssued } from './check-issued.js';
import { readIdentifiers } from './identifier.js';

let root: Authority;
let authority: Authority;
beforeAll(async () => {
  root = await createAuthority({ commonName: 'Root' });
  authority = await root.intermediate({ commonName: 'Intermediate' });
});

const names = ['a.example', '192.0.2.1'];
const now = new Date();

async function check(
  issue: Partial<IssueOptions> = {},
  change: (chain: string) => string = (chain) => chain,
) {
  const { chain, key } = await authority.issue({ kind: 'server', names, ...issue });
  const identifiers = readIdentifiers(names);
  return checkIssued(change(chain), { key: readPrivateKey(key), identifiers, now });
}

const refused = (why: string) =>
  expect.objectContaining({
    code: 'KNSOCK_ACME_CERTIFICATE',
    message: expect.stringContaining(why) as string,
  }) as Error;

it('accepts what was asked for', async () => {
  expect((await check()).dnsNames).toEqual(['a.example']);
  expect((await check({ kind: 'peer' })).ipAddresses).toEqual(['192.0.2.1']);
});

it('refuses other names, more names and fewer', async () => {
  for (const given of [['b.example'], [...names, 'b.example'], ['a.example']])
    await expect(check({ names: given })).rejects.toThrow(refused('it is for'));
});

it("refuses a client's certificate", async () => {
  await expect(check({ kind: 'client' })).rejects.toThrow(refused("it isn't for servers"));
});

it('refuses another key', async () => {
  const { chain } = await authority.issue({ kind: 'server', names });
  await expect(check({}, () => chain)).rejects.toThrow(refused('another key'));
});

it("refuses a chain without the issuer, with another's, or that can't be read", async () => {
  const leafOnly = (chain: string) => chain.slice(0, chain.indexOf('-----END CERTIFICATE-----') + 26);
  await expect(check({}, leafOnly)).rejects.toThrow(refused("issuer's certificate is missing"));
  await expect(check({}, (chain) => leafOnly(chain) + root.certificate)).rejects.toThrow(
    refused("isn't signed by the next"),
  );
  await expect(check({}, (chain) => chain.repeat(10))).rejects.toThrow(refused('certificates'));
  await expect(check({}, () => 'no certificate')).rejects.toThrow(refused("can't be read"));
});

it('refuses an expired certificate', async () => {
  const { chain, key } = await authority.issue({ kind: 'server', names, days: 1 });
  const later = {
    key: readPrivateKey(key),
    identifiers: readIdentifiers(names),
    now: new Date(Date.now() + 2 * 86_400_000),
  };
  expect(() => checkIssued(chain, later)).toThrow(refused('it expired'));
});
