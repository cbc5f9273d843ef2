/** What is said of key material that can't be used: by no way of printing is the key shown, nor its passphrase. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { format, inspect } from 'node:util';
import { toPkcs12 } from '@knsock/certs';
import { connect, createCredentials, listen, loadCredentials, watchCredentials } from '@knsock/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock } from '../support/command.js';

const PASSPHRASE = 'marked-passphrase';

let files: CertificateFolder;
let cert: string;
let otherCert: string;
let key: KeyObject;
let pem: string;
let secrets: readonly string[];
/** The same key in the forms that programs write. */
let forms: Readonly<Record<string, string | Buffer>>;

beforeAll(async () => {
  files = await createCertificateFolder();
  cert = readFileSync(files.at('server.crt'), 'utf8');
  otherCert = readFileSync(files.at('client.crt'), 'utf8');
  pem = readFileSync(files.at('server.key'), 'utf8');
  key = createPrivateKey(pem);
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const jwk = key.export({ format: 'jwk' });
  const locked = { cipher: 'aes-256-cbc', passphrase: PASSPHRASE, type: 'pkcs8' } as const;
  const chain = cert;
  forms = {
    'PKCS#8': pem,
    SEC1: key.export({ type: 'sec1', format: 'pem' }),
    DER: pkcs8,
    base64: pkcs8.toString('base64'),
    hex: pkcs8.toString('hex'),
    JWK: JSON.stringify(jwk),
    'locked PEM': key.export({ ...locked, format: 'pem' }),
    'PKCS#12': await toPkcs12({ chain, key: pem }, PASSPHRASE),
    'one line': pem.replaceAll('\n', ' '),
    'escaped line ends': pem.replaceAll('\n', '\\n'),
    'an assignment': `KEY="${pem}"`,
  };
  secrets = [PASSPHRASE, ...Object.values(forms).flatMap(partsOf), ...partsOfNumber(jwk.d as string)];
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
});

/** Pieces of what stands in a file, beyond the beginning that tells its kind. */
function partsOf(form: string | Buffer): string[] {
  if (typeof form !== 'string') return partsOfBytes(form);
  const body = form.replaceAll(/-----.*?-----|\\n|\s/g, '');
  return body.startsWith('{') ? [] : windows(body.slice(64, 160), 12);
}

function partsOfNumber(d: string): string[] {
  const bytes = Buffer.from(d, 'base64url');
  return [...windows(d, 8), ...windows(bytes.toString('base64'), 8), ...partsOfBytes(bytes)];
}

function partsOfBytes(bytes: Buffer): string[] {
  const tail = bytes.length > 64 ? bytes.subarray(40, 80) : bytes;
  const pairs = tail.toString('hex').match(/../g) ?? [];
  const joined = [pairs.join(''), pairs.join(' '), [...tail].join(','), [...tail].join(', ')];
  return [...joined.flatMap((text) => windows(text, 18)), ...windows(tail.toString('latin1'), 8)];
}

const windows = (text: string, length: number): string[] =>
  Array.from({ length: Math.max(0, Math.ceil((text.length - length) / 4)) }, (_, n) =>
    text.slice(4 * n, 4 * n + length),
  );

function everyWay(value: unknown): string[] {
  const error = value as Error;
  const own = Reflect.ownKeys(error).map((name) => Reflect.get(error, name) as unknown);
  const causes = error.cause instanceof Error ? everyWay(error.cause) : [];
  const texts = own.filter((one) => typeof one === 'string');
  return [
    ...texts,
    ...causes,
    String(error),
    error.message,
    error.stack ?? '',
    JSON.stringify(error),
    JSON.stringify(Object.getOwnPropertyDescriptors(error)),
    format('%s %o %O %j', error, error, error, error),
    inspect(error, { depth: Infinity, showHidden: true, getters: true, maxStringLength: null }),
  ];
}

function expectNoKey(texts: readonly string[]): void {
  const shown = [...new Set(texts)].filter((text) => secrets.some((secret) => text.includes(secret)));
  expect(shown).toEqual([]);
}

/** A form that can't be used, for a reason that its reader finds at another place each. */
function spoilt(form: string | Buffer): (string | Buffer)[] {
  const half = Math.ceil(form.length / 2);
  if (typeof form !== 'string') {
    const flipped = Buffer.from(form);
    flipped[half] = (flipped[half] ?? 0) ^ 0x40;
    return [form.subarray(0, half), form.subarray(0, -1), flipped, Buffer.concat([form, Buffer.from('x')])];
  }
  return [
    form.slice(0, half),
    `${form.slice(0, half)}!${form.slice(half)}`,
    `${form.slice(0, half)},"${form.slice(half)}`,
    `${form}${form}`,
  ];
}

const kinds = [
  'PKCS#8',
  'SEC1',
  'DER',
  'base64',
  'hex',
  'JWK',
  'locked PEM',
  'PKCS#12',
  'one line',
  'escaped line ends',
  'an assignment',
];

/** As programs have it from a variable or a secret store. */
const asText = ['PKCS#8', 'base64', 'hex', 'JWK', 'one line', 'escaped line ends', 'an assignment'];

/** The error, where there is one: some forms open although something is wrong with them. */
async function failureOf(act: () => unknown): Promise<string[]> {
  try {
    await act();
    return [];
  } catch (error) {
    return everyWay(error);
  }
}

describe("a private key isn't shown by the errors of", () => {
  it.each(kinds)('credentials with such a key, or a misplaced one: %s', async (kind) => {
    const form = forms[kind] as string | Buffer;
    const texts: string[] = [];
    for (const given of [form, ...spoilt(form)]) {
      const passphrases = [undefined, 'another'];
      const tries = passphrases.flatMap((passphrase) => [
        () => createCredentials({ cert, key: given, passphrase }),
        () => createCredentials({ cert: otherCert, key: given, passphrase }),
        () => createCredentials({ pfx: given, passphrase }),
      ]);
      const misplaced = [
        () => createCredentials({ cert: given, key: given }),
        () => createCredentials({ ca: given }),
        () => createCredentials({ ca: [cert, given] }),
        () => createCredentials({ cert, key: pem, crl: given }),
        () => createCredentials({ key: given }),
        () => createCredentials({ cert, key: pem, passphrase: given as string, pfx: given }),
      ];
      for (const act of [...tries, ...misplaced]) texts.push(...(await failureOf(act)));
    }
    expect(texts.length).toBeGreaterThan(20);
    expectNoKey(texts);
  });

  it.each(kinds)('files with such a key: %s', async (kind) => {
    const texts: string[] = [];
    for (const [n, given] of spoilt(forms[kind] as string | Buffer).entries()) {
      const keyFile = await files.write(`spoilt-${n}`, given);
      const certFile = files.at('server.crt');
      for (const options of [
        { certFile, keyFile },
        { certFile: keyFile, keyFile },
        { pfxFile: keyFile, passphrase: PASSPHRASE },
        { caFile: keyFile },
        { certFile, keyFile: files.at('server.key'), crlFile: keyFile },
      ]) {
        texts.push(...(await failureOf(() => loadCredentials(options))));
        texts.push(...(await failureOf(async () => (await watchCredentials(options))[Symbol.dispose]())));
      }
    }
    expect(texts.length).toBeGreaterThan(20);
    expectNoKey(texts);
  });

  it.each(asText)('options that were given the key: %s', async (kind) => {
    const given = forms[kind] as string;
    const certFile = files.at('server.crt');
    const credentials = createCredentials({ cert, key: pem });
    const misread = given as never;
    const texts = await Promise.all(
      [
        () => loadCredentials({ certFile, keyFile: given }),
        () => loadCredentials({ certFile: given, keyFile: given }),
        () => loadCredentials({ pfxFile: given }),
        () => loadCredentials({ caFile: given }),
        () => loadCredentials({ certFile, keyFile: files.at('server.key'), crlFile: given }),
        () => createCredentials(misread),
        () => listen({ port: 0, credentials: misread }, () => undefined),
        () => listen({ port: 0, credentials: { cert, key: given } as never }, () => undefined),
        () => listen({ port: 0, credentials, ticketSecret: misread }, () => undefined),
        () => listen({ port: 0, credentials, tls: { key: given } }, () => undefined),
        () => connect({ port: 1, credentials: misread }),
        () => connect({ port: 1, pins: [given] }),
      ].map(failureOf),
    );
    expect(texts.filter((text) => text.length > 0).length).toBe(12);
    expectNoKey(texts.flat());
  });

  it('the command, in its words, as JSON and with stack traces', { timeout: 120_000 }, async () => {
    const spoiltJwk = await files.write('spoilt.jwk', `${forms['JWK'] as string}}`);
    const spoiltPem = await files.write('spoilt.pem', spoilt(pem)[1] as string);
    const locked = await files.write('locked.pem', forms['locked PEM'] as string);
    const crt = files.at('server.crt');
    const all = [
      ...[spoiltJwk, spoiltPem, locked].flatMap((one) => [
        ['serve', '--port', '0', '--cert', crt, `--key=${one}`],
        ['check', crt, one],
        ['certs', 'inspect', one],
      ]),
      ['certs', 'inspect', files.at('server.key')],
      ['serve', '--port', '0', '--cert', files.at('client.crt'), '--key', files.at('server.key')],
    ];
    for (const args of all) {
      const ended = await knsock([...args, '--json', '--debug']);
      expectNoKey([ended.stdout, ended.stderr]);
    }
  });
});
