/** What is in files: certificates, keys and revocation lists, told apart by their contents. */
import type { KeyObject } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  openPkcs12,
  openPrivateKeyPem,
  parseCertificates,
  parseCrls,
  publicHalf,
  type CertificateRevocationList,
  type X509Certificate,
} from '@knsock/core/x509';

export interface CertificateFile {
  readonly file: string;
  readonly chain: readonly X509Certificate[];
  /** Certificates beside the chain, in PKCS#12 files: mostly the CA’s. */
  readonly others: readonly X509Certificate[];
}

export interface KeyFile {
  readonly file: string;
  readonly publicKey: Buffer;
  readonly mode: number;
}

export interface SortedFiles {
  readonly certificates: CertificateFile[];
  readonly keys: KeyFile[];
  readonly lists: { readonly file: string; readonly crls: readonly CertificateRevocationList[] }[];
  /** Requests, public keys and parameters: nothing to be checked, and nothing wrong with lying there. */
  readonly others: string[];
  /** Files that aren't what they seem. */
  readonly unreadable: { readonly file: string; readonly problem: string }[];
}

const ENDINGS = /\.(crt|pem|cer|key|crl|p12|pfx)$/;
const OTHERS =
  /-----BEGIN ((NEW )?CERTIFICATE REQUEST|[A-Z0-9 ]*PUBLIC KEY|[A-Z0-9. ]*PARAMETERS)-----(?![^]*PRIVATE KEY)/;
const PKCS12 = /\.(p12|pfx)$/;

/** The files of a folder and of those below it that look like certificates, keys and lists. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && ENDINGS.test(entry.name) && !entry.parentPath.endsWith('serials'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** @param passphrase opens PKCS#12 files */
export async function sortFiles(
  files: readonly string[],
  passphrase: string | undefined,
): Promise<SortedFiles> {
  const sorted: SortedFiles = { certificates: [], keys: [], lists: [], others: [], unreadable: [] };
  for (const file of files) {
    try {
      await sortOne(file, passphrase, sorted);
    } catch (error) {
      sorted.unreadable.push({ file, problem: (error as Error).message });
    }
  }
  return sorted;
}

async function sortOne(
  file: string,
  passphrase: string | undefined,
  { certificates, keys, lists, others }: SortedFiles,
): Promise<void> {
  const bytes = await readFile(file);
  const text = bytes.toString('latin1');
  if (/-----BEGIN (X509 )?CRL-----/.test(text) || file.endsWith('.crl')) {
    lists.push({ file, crls: parseCrls(bytes) });
    return;
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----') && OTHERS.test(text)) {
    others.push(file);
    return;
  }
  const { mode } = await stat(file);
  if (PKCS12.test(file)) {
    const { chain, key, others: beside } = openPkcs12(bytes, passphrase);
    certificates.push({ file, chain, others: beside });
    keys.push({ file, publicKey: publicKeyOf(key), mode });
    return;
  }
  // One file may hold both.
  const isKey = text.includes('PRIVATE KEY-----');
  if (!isKey || text.includes('-----BEGIN CERTIFICATE-----'))
    certificates.push({ file, chain: parseCertificates(bytes), others: [] });
  // An encrypted key stays closed: nothing can be said of it here.
  const isOpen = isKey && !/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text);
  if (isOpen) keys.push({ file, publicKey: publicKeyOf(openPrivateKeyPem(text)), mode });
}

function publicKeyOf(key: KeyObject): Buffer {
  return publicHalf(key).export({ type: 'spki', format: 'der' });
}
