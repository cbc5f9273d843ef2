import type { KeyObject } from 'node:crypto';
import { MalformedDerError } from '../../errors/malformed-der.js';
import { CredentialsError } from '../../errors/security.js';
import { X509Certificate } from '../certificate.js';
import { mayHaveIssued } from '../issuance.js';
import { publicHalf } from '../keys/open-key.js';
import { reading } from '../formats/objects.js';
import type { Pkcs12Contents } from './contents.js';
import { readPkcs12, readPkcs12OffThread } from './read.js';

/** A PKCS#12 file in the order in which TLS wants its parts. */
export interface OpenedPkcs12 {
  /** The key's certificate, its issuer, that one's issuer and so on, as far as the file has them. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** The private key. */
  readonly key: KeyObject;
  /** Certificates that aren't part of the chain, in the file's order. */
  readonly others: readonly X509Certificate[];
  /** What the file's keys are called, in its order: friendly names, Java's aliases; their place from 1 where they have none. */
  readonly names: readonly string[];
  /** Which of them this one is. */
  readonly name: string;
}

/** A certificate of a PKCS#12 file, with what the file calls it. */
export interface Pkcs12Certificate {
  /** The certificate. */
  readonly certificate: X509Certificate;
  /** What programs show (Java's alias). */
  readonly friendlyName: string | undefined;
  /** Equal to that of its key. */
  readonly localKeyId: Buffer | undefined;
}

/** Issuers are searched by name and signature, each among all: a bound on what that costs. Java's own trust store has 150. */
const MAX_CERTIFICATES = 1_024;

/**
 * Reads a PKCS#12 file (RFC 7292) and finds the key's certificate and its chain; nothing is judged, dates and strength are the
 * caller's business. Keys are derived on the calling thread, for 4 million rounds at most.
 * @param passphrase undefined and '' both open a file that was made without one
 * @param name which key is meant, of several; without it the first that has its certificate in the file
 * @throws CredentialsError 'passphrase', 'malformed', 'unsupported', 'incomplete', or 'key-mismatch' where no certificate fits a key
 */
export function openPkcs12(bytes: Uint8Array, passphrase: string | undefined, name?: string): OpenedPkcs12 {
  return arrangePkcs12(readPkcs12(bytes, passphrase), name);
}

/** As `openPkcs12`, with keys derived off the main thread, for 8 million rounds at most. */
export async function openPkcs12OffThread(
  bytes: Uint8Array,
  passphrase: string | undefined,
  name?: string,
): Promise<OpenedPkcs12> {
  return arrangePkcs12(await readPkcs12OffThread(bytes, passphrase), name);
}

/** Contents that were read already, in the order in which TLS wants them; errors as `openPkcs12`. */
export function arrangePkcs12(contents: Pkcs12Contents, name?: string): OpenedPkcs12 {
  requirePair(contents);
  const entries = pkcs12Certificates(contents);
  const names = namesOf(contents);
  const { key, leaf, index } = findPair(contents, entries, names, name);
  const chain = chainOf(
    leaf,
    entries.map(({ certificate }) => certificate),
  );
  const linked = new Set<X509Certificate>(chain);
  const others = entries.flatMap(({ certificate }) => (linked.has(certificate) ? [] : [certificate]));
  return { chain, key, others, names, name: names[index] as string };
}

/** One key of a PKCS#12 file. */
export interface Pkcs12Pair {
  /** What the file calls it: its friendly name (Java's alias), else its place from 1. */
  readonly name: string;
  /** The private key. */
  readonly key: KeyObject;
  /** Its certificate, that one's issuer and so on. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
}

/**
 * Each key of contents that were read already, with its chain, and the certificates that belong to none of them.
 * Keys without a certificate are left out.
 * @param name of the one key that is meant
 * @throws CredentialsError as `openPkcs12`
 */
export function pkcs12Pairs(
  contents: Pkcs12Contents,
  name?: string,
): { readonly pairs: readonly Pkcs12Pair[]; readonly others: readonly X509Certificate[] } {
  requirePair(contents);
  const entries = pkcs12Certificates(contents);
  const all = entries.map(({ certificate }) => certificate);
  const names = namesOf(contents);
  requireName(names, name, contents);
  const pairs = contents.keys.flatMap((held, index): Pkcs12Pair[] => {
    const leaf = leafOf(held, entries);
    return leaf ? [{ name: names[index] as string, key: held.key, chain: chainOf(leaf, all) }] : [];
  });
  const meant = name === undefined ? pairs : pairs.filter((pair) => pair.name === name).slice(0, 1);
  if (meant.length === 0) throw noneBelongs(entries);
  const linked = new Set<X509Certificate>(pairs.flatMap(({ chain }) => chain));
  return { pairs: meant, others: all.filter((certificate) => !linked.has(certificate)) };
}

/** Every certificate of a file, as in a trust store of Java. @throws CredentialsError 'malformed' */
export function pkcs12Certificates({ certificates }: Pkcs12Contents): Pkcs12Certificate[] {
  if (certificates.length > MAX_CERTIFICATES)
    throw unreadable(
      `holds ${certificates.length.toLocaleString('en')} certificates, over the limit of ${MAX_CERTIFICATES.toLocaleString('en')}`,
    );
  return certificates.map(({ der, friendlyName, localKeyId }, index) => ({
    certificate: readCertificate(der, index, certificates.length),
    friendlyName,
    localKeyId,
  }));
}

/** A trust store is no identity, and the other way round. */
function requirePair({ certificates, keys }: Pkcs12Contents): void {
  if (certificates.length > 0 && keys.length > 0) return;
  const found = [counted(certificates.length, 'certificate'), counted(keys.length, 'private key')];
  throw new CredentialsError('incomplete', `the PKCS#12 file holds ${found.join(' and ')}`, {
    hint:
      keys.length === 0
        ? 'It is a trust store: knsock certs convert FILE --to pem takes the certificates out, which caFile (--ca) takes.'
        : 'Give the key (knsock certs convert FILE --to pem takes it out) with its certificate as keyFile and certFile.',
  });
}

const counted = (count: number, noun: string): string =>
  count === 0 ? `no ${noun}` : `${count} ${noun}${count === 1 ? '' : 's'}`;

function readCertificate(der: Buffer, index: number, count: number): X509Certificate {
  try {
    return reading(
      { der, place: `certificate ${index + 1} of ${count}` },
      (bytes) => new X509Certificate(bytes),
    );
  } catch (error) {
    if (!(error instanceof MalformedDerError)) throw error;
    throw unreadable(`holds a certificate that can't be read: ${error.message}`, error);
  }
}

function unreadable(problem: string, cause?: unknown): CredentialsError {
  return new CredentialsError('malformed', `the PKCS#12 file ${problem}`, { cause });
}

function namesOf({ keys }: Pkcs12Contents): string[] {
  return keys.map(({ friendlyName }, index) => friendlyName ?? String(index + 1));
}

function findPair(
  contents: Pkcs12Contents,
  entries: readonly Pkcs12Certificate[],
  names: readonly string[],
  wanted: string | undefined,
): { key: KeyObject; leaf: X509Certificate; index: number } {
  requireName(names, wanted, contents);
  for (const [index, held] of contents.keys.entries()) {
    if (wanted !== undefined && names[index] !== wanted) continue;
    const leaf = leafOf(held, entries);
    if (leaf !== undefined) return { key: held.key, leaf, index };
  }
  throw noneBelongs(entries);
}

function requireName(
  names: readonly string[],
  wanted: string | undefined,
  { locked = [] }: Pkcs12Contents,
): void {
  if (wanted === undefined || names.includes(wanted)) return;
  if (locked.some(({ friendlyName }) => friendlyName === wanted)) throw hasOwnPassphrase(wanted);
  const there = names.map((name) => JSON.stringify(name)).join(', ');
  throw new CredentialsError(
    'key-mismatch',
    `the PKCS#12 file has no key named ${JSON.stringify(wanted)}; it has ${there}`,
    { hint: 'Give one of those names.' },
  );
}

function hasOwnPassphrase(name: string): CredentialsError {
  const message = `the key ${JSON.stringify(name)} of the PKCS#12 file has a passphrase of its own, other than the file's`;
  return new CredentialsError('passphrase', message, {
    hint: "keytool -keypasswd -alias ALIAS -keystore FILE changes it to the file's, for JKS and JCEKS; or use another key of the file.",
  });
}

/** A key that outlived a renewal has several certificates. */
function leafOf(
  { key, localKeyId }: Pkcs12Contents['keys'][number],
  entries: readonly Pkcs12Certificate[],
): X509Certificate | undefined {
  const fitting = entries.filter(({ certificate }) => fits(key, certificate));
  const marked = fitting.find((entry) => localKeyId !== undefined && entry.localKeyId?.equals(localKeyId));
  return (marked ?? fitting[0])?.certificate;
}

function noneBelongs(entries: readonly Pkcs12Certificate[]): CredentialsError {
  const held = counted(entries.length, 'certificate');
  return new CredentialsError(
    'key-mismatch',
    `no private key of the PKCS#12 file belongs to any of its ${held}`,
  );
}

function fits(key: KeyObject, certificate: X509Certificate): boolean {
  try {
    return publicHalf(key).equals(certificate.publicKey);
  } catch {
    // A certificate whose key this Node can't use may still be an issuer's.
    return false;
  }
}

function chainOf(
  leaf: X509Certificate,
  all: readonly X509Certificate[],
): [X509Certificate, ...X509Certificate[]] {
  const chain: [X509Certificate, ...X509Certificate[]] = [leaf];
  for (let last = leaf; !last.isSelfIssued || !last.isSelfSigned;) {
    const issuer = all.find((candidate) => !chain.includes(candidate) && mayHaveIssued(candidate, last));
    if (issuer === undefined) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}
