/** Checks files: certificates, each with the key and the CA among the others given. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseCertificates, parseCrls, type X509Certificate } from '@knsock/core/x509';
import { judge, merged, type TargetReport } from './findings.js';
import { chainRules, fileRules, filesRules } from './rules.js';
import type { Verdict } from './verdict.js';

interface CertificateFile {
  readonly file: string;
  readonly chain: readonly X509Certificate[];
}

interface KeyFile {
  readonly file: string;
  readonly publicKey: Buffer;
  readonly mode: number;
}

/** What was found among the files. */
interface Found {
  readonly certificates: CertificateFile[];
  readonly keys: KeyFile[];
  /** Files that aren't what they seem. */
  readonly unreadable: { readonly file: string; readonly problem: string }[];
  readonly hasCrl: boolean;
}

const ENDINGS = /\.(crt|pem|cer|key|crl)$/;

/** The files of a folder and of those below it that look like certificates, keys and lists. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && ENDINGS.test(entry.name) && !entry.parentPath.endsWith('serials'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** @param ca files of CAs to trust, beside those among `files` */
export async function checkFiles(
  files: readonly string[],
  ca: readonly string[],
  at: Date,
): Promise<TargetReport[]> {
  const found = await sort(files);
  const anchors = [...found.certificates, ...(await sort(ca)).certificates].flatMap(({ chain }) =>
    chain.filter((certificate) => certificate.isSelfIssued && certificate.basicConstraints?.ca === true),
  );
  const unreadable = found.unreadable.map(({ file, problem }) => judge(file, fileRules, { problem }));
  const checked = found.certificates.map((one) => checkOne(one, found, anchors, at));
  return [...unreadable, ...(await Promise.all(checked))];
}

async function checkOne(
  { file, chain }: CertificateFile,
  { keys, certificates, hasCrl }: Found,
  anchors: readonly X509Certificate[],
  at: Date,
): Promise<TargetReport> {
  const leaf = chain[0];
  const key = keyOf(file, leaf, keys, certificates.length === 1);
  const isAuthority = leaf?.basicConstraints?.ca === true;
  return merged([
    judge(file, fileRules, { problem: undefined }),
    judge(file, chainRules, { chain, at, isShown: false, hasCrl }),
    judge(file, filesRules, {
      keyFile: key?.file,
      keyMode: key?.mode,
      keyMatches: key && leaf !== undefined && key.publicKey.equals(leaf.publicKeyInfo.der),
      verdict: isAuthority || anchors.length === 0 ? undefined : await verdictOn(chain, anchors, at),
    }),
  ]);
}

/** The key that fits, else the one that was clearly meant: of the same name, or the only one. */
function keyOf(
  file: string,
  leaf: X509Certificate | undefined,
  keys: readonly KeyFile[],
  alone: boolean,
): KeyFile | undefined {
  const fitting = keys.find((key) => leaf !== undefined && key.publicKey.equals(leaf.publicKeyInfo.der));
  const base = file.replace(/\.\w+$/, '');
  return fitting ?? keys.find((key) => key.file.startsWith(`${base}.`)) ?? (alone ? keys[0] : undefined);
}

async function verdictOn(
  [leaf, ...intermediates]: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  at: Date,
): Promise<Verdict> {
  const { verifyPath } = await import('@knsock/core/x509');
  const judged = leaf as X509Certificate;
  const usage = judged.extendedKeyUsage?.includes('1.3.6.1.5.5.7.3.1') === false ? 'client' : 'server';
  const verdict = await verifyPath({ leaf: judged, intermediates, anchors, at, usage });
  return verdict.ok ? { ok: true } : { ok: false, words: `${verdict.reason}: ${verdict.message}` };
}

async function sort(files: readonly string[]): Promise<Found> {
  const found = { certificates: [], keys: [], unreadable: [], hasCrl: false };
  for (const file of files) await sortOne(file, found);
  return found;
}

async function sortOne(file: string, found: { -readonly [Key in keyof Found]: Found[Key] }): Promise<void> {
  try {
    const bytes = await readFile(file);
    const text = bytes.toString('latin1');
    if (/-----BEGIN (X509 )?CRL-----/.test(text) || file.endsWith('.crl')) {
      parseCrls(bytes);
      found.hasCrl = true;
      return;
    }
    // One file may hold both.
    const isKey = text.includes('PRIVATE KEY-----');
    if (!isKey || text.includes('-----BEGIN CERTIFICATE-----'))
      found.certificates.push({ file, chain: parseCertificates(bytes) });
    const publicKey = isKey ? publicKeyOf(text) : undefined;
    if (publicKey !== undefined) found.keys.push({ file, publicKey, mode: (await stat(file)).mode });
  } catch (error) {
    found.unreadable.push({ file, problem: (error as Error).message });
  }
}

/** An encrypted key stays closed: nothing can be said of it here. */
function publicKeyOf(pem: string): Buffer | undefined {
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem)) return undefined;
  return createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' });
}
