import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAuthority, fromPkcs12, toPkcs12 } from '@knsock/certs';
import {
  arrangePkcs12,
  openPkcs12,
  pkcs12Certificates,
  readPkcs12,
  readPkcs12OffThread,
} from '@knsock/core/x509';
import { afterAll, expect, it } from 'vitest';
import { needsTools } from './tools.js';

// Java's keytool reads what is written here, and what it writes is read.

const folder = mkdtempSync(path.join(tmpdir(), 'knsock-java-'));
const file = (name: string): string => path.join(folder, name);
const keytool = (...args: string[]): string =>
  execFileSync('keytool', [...args, '-storepass', 'changeit'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });

afterAll(() => rmSync(folder, { recursive: true }));

it('opens a trust store of ours, and finds every certificate trusted', async (context) => {
  needsTools(context, 'keytool');
  const roots = [
    await createAuthority({ commonName: 'Root' }),
    await createAuthority({ commonName: 'root' }),
  ];
  const trust = roots.map(({ certificate }) => certificate).join('');
  writeFileSync(file('trust.p12'), await toPkcs12({ trust }, 'changeit'));
  const listed = keytool('-list', '-keystore', file('trust.p12'));
  expect(listed.match(/trustedCertEntry/g)).toHaveLength(2);
});

it('opens a key store of ours', async (context) => {
  needsTools(context, 'keytool');
  const root = await createAuthority({ commonName: 'Root' });
  const { chain, key } = await root.issue({ kind: 'server', names: ['localhost'] });
  writeFileSync(file('server.p12'), await toPkcs12({ chain, key, friendlyName: 'server' }, 'changeit'));
  expect(keytool('-list', '-keystore', file('server.p12'))).toContain('server, ');
});

it('writes key stores with several keys, and trust stores, that are read here', async (context) => {
  needsTools(context, 'keytool');
  for (const alias of ['first', 'second'])
    keytool(
      '-genkeypair',
      '-alias',
      alias,
      '-keyalg',
      'EC',
      '-dname',
      `CN=${alias}`,
      '-keystore',
      file('java.p12'),
      '-storetype',
      'pkcs12',
    );
  const store = readFileSync(file('java.p12'));
  expect(openPkcs12(store, 'changeit').names).toEqual(['first', 'second']);
  const second = openPkcs12(store, 'changeit', 'second');
  expect(second.chain[0].subject.toString()).toBe('CN=second');
  expect((await fromPkcs12(store, 'changeit', 'second')).certificate).toBe(second.chain[0].pem);
  writeFileSync(file('ca.pem'), (await createAuthority({ commonName: 'Root' })).certificate);
  keytool(
    '-importcert',
    '-noprompt',
    '-alias',
    'ca',
    '-file',
    file('ca.pem'),
    '-keystore',
    file('trusted.p12'),
    '-storetype',
    'pkcs12',
  );
  const trusted = pkcs12Certificates(readPkcs12(readFileSync(file('trusted.p12')), 'changeit'));
  expect(
    trusted.map(({ friendlyName, certificate }) => [friendlyName, certificate.subject.toString()]),
  ).toEqual([['ca', 'CN=Root']]);
});

it.for(['jks', 'jceks'])(
  'opens the keys of a %s store that its passphrase opens, and names another',
  async (type, context) => {
    needsTools(context, 'keytool');
    const store = file(`mixed.${type}`);
    for (const [alias, pass] of [
      ['other', 'otherpass'],
      ['good', 'changeit'],
    ] as const)
      keytool(
        ...['-genkeypair', '-alias', alias, '-keyalg', 'EC', '-dname', `CN=${alias}`, '-keypass', pass],
        ...['-keystore', store, '-storetype', type],
      );
    const contents = await readPkcs12OffThread(readFileSync(store), 'changeit');
    expect(String(arrangePkcs12(contents).chain[0].subject)).toBe('CN=good');
    expect(arrangePkcs12(contents, 'good').names).toEqual(['good']);
    expect(() => arrangePkcs12(contents, 'other')).toThrow(
      'the key "other" of the PKCS#12 file has a passphrase of its own',
    );
    expect(() => arrangePkcs12(contents, 'nobody')).toThrow('no key named "nobody"');
    keytool('-delete', '-alias', 'good', '-keystore', store);
    await expect(readPkcs12OffThread(readFileSync(store), 'changeit')).rejects.toThrow(
      'the key "other" with a passphrase of its own',
    );
  },
);
