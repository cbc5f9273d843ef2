/** What is in files: certificates, keys and revocation lists, distinguished by their contents. */
import type { KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';
import {
  bareBase64,
  describeContent,
  isEncryptedKey,
  isKeyStore,
  isPuttyKey,
  kindOfDer,
  parseCertificates,
  parseCrls,
  pkcs12Certificates,
  pkcs12Pairs,
  publicHalf,
  readPkcs12OffThread,
  readPrivateKeyOffThread,
  splitPem,
  textOf,
  type CertificateRevocationList,
  type Wanted,
  type X509Certificate,
} from '@knsock/core/x509';
import { filesBelow, readWhole } from '@knsock/core/options';
import { FolderVisitors, readersOf, type Readers } from './key-readers.js';

export interface CertificateFile {
  readonly file: string;
  readonly chain: readonly X509Certificate[];
  /** Certificates beside the chain, in PKCS#12 files: mostly the CA's. */
  readonly others: readonly X509Certificate[];
  /** What a PKCS#12 file with several keys calls this certificate's. */
  readonly keyName?: string | undefined;
  /** Whether a request stands beside the certificates. */
  readonly hasRequest?: boolean;
}

export interface KeyFile {
  readonly file: string;
  readonly publicKey: Buffer;
  /** The permission bits of the file. */
  readonly mode: number;
  /** The users who can read it, by its permissions and those of the parent folders. */
  readonly readers: Readers;
}

type Access = Pick<KeyFile, 'mode' | 'readers'>;

/** Options for PKCS#12 files and encrypted keys. */
interface Opening {
  readonly passphrase: string | undefined;
  readonly keyName: string | undefined;
}

export interface SortedFiles {
  readonly certificates: CertificateFile[];
  readonly keys: KeyFile[];
  /** Files with an encrypted key, and no passphrase to open it. */
  readonly locked: string[];
  readonly lists: { readonly file: string; readonly crls: readonly CertificateRevocationList[] }[];
  /** Requests, public keys and parameters: nothing to check, and allowed. */
  readonly others: { readonly file: string; readonly der: readonly Uint8Array[] }[];
  /** Files that aren't what they appear to be. */
  readonly unreadable: { readonly file: string; readonly problem: string; readonly advice?: string }[];
  /** Files that the system doesn't let be read. */
  readonly unread: { readonly file: string; readonly cause: unknown }[];
}

const CERTIFICATES = /^(TRUSTED |X509 )?CERTIFICATE$|^PKCS ?#?7|^CMS$/;
const ENDINGS = /\.(crt|pem|cer|der|key|p8|ppk|crl|csr|p7b|p7c|p12|pfx|jks|keystore)$/i;

/** The files of a folder and of those below it that look like certificates, keys and lists. */
export function filesIn(folder: string): Promise<string[]> {
  return filesBelow(folder, ENDINGS);
}

/**
 * @param passphrase of PKCS#12 files and encrypted keys
 * @param keyName friendly name of their key to use; default the first
 */
export async function sortFiles(
  files: readonly string[],
  passphrase: string | undefined,
  keyName?: string,
): Promise<SortedFiles> {
  const sorted = nothing();
  const folders = new FolderVisitors();
  for (const file of files) {
    await readOne(file, folders).then(
      (read) => sortNamed(read, { passphrase, keyName }, sorted),
      (cause: unknown) => void sorted.unread.push({ file, cause }),
    );
  }
  return sorted;
}

interface ReadFile {
  readonly file: string;
  readonly bytes: Buffer;
  readonly access: Access;
}

async function readOne(file: string, folders: FolderVisitors): Promise<ReadFile> {
  const bytes = await readWhole(file);
  return { file, bytes, access: { mode: (await stat(file)).mode, readers: await readersOf(file, folders) } };
}

/** Sorts a file, unless it isn't what its name says: a server that is given it for that doesn't start. */
async function sortNamed(read: ReadFile, opening: Opening, sorted: SortedFiles): Promise<void> {
  const { file, bytes } = read;
  const own = nothing();
  try {
    await sortOne(read, opening, own);
  } catch (error) {
    sorted.unreadable.push({ file, problem: (error as Error).message });
    return;
  }
  const lacking = promised.find(({ ending, isKept }) => ending.test(file) && !isKept(own));
  if (lacking !== undefined) {
    const { what, advice } = describeContent(bytes, lacking.wanted);
    sorted.unreadable.push({ file, problem: what, advice });
    return;
  }
  for (const kind of Object.keys(own) as (keyof SortedFiles)[]) sorted[kind].push(...(own[kind] as never[]));
}

interface Promised {
  readonly ending: RegExp;
  readonly wanted: Wanted;
  readonly isKept: (found: SortedFiles) => boolean;
}

/** What the ending of a name promises; beside it other things may stand in the file. */
const promised: readonly Promised[] = [
  { ending: /\.crl$/i, wanted: 'revocation list', isKept: ({ lists }) => lists.length > 0 },
  { ending: /\.csr$/i, wanted: 'request', isKept: ({ others }) => others.length > 0 },
  { ending: /\.(crt|cer)$/i, wanted: 'certificate', isKept: ({ certificates }) => certificates.length > 0 },
  {
    ending: /\.(key|p8|ppk)$/i,
    wanted: 'private key',
    isKept: ({ keys, locked, others }) => keys.length + locked.length > 0 || others.some(isPublicKey),
  },
];

const isPublicKey = ({ der }: SortedFiles['others'][number]): boolean =>
  der.some((one) => kindOfDer(one) === 'public key');

const nothing = (): SortedFiles => ({
  certificates: [],
  keys: [],
  locked: [],
  lists: [],
  others: [],
  unreadable: [],
  unread: [],
});

async function sortOne(
  { file, bytes, access }: ReadFile,
  opening: Opening,
  sorted: SortedFiles,
): Promise<void> {
  if (isKeyStore(bytes)) {
    await sortStore(file, bytes, { ...opening, access }, sorted);
    return;
  }
  const text = textOf(bytes);
  if (text?.includes('-----BEGIN ') === true) {
    await sortBlocks(file, bytes, { ...opening, access }, sorted);
    return;
  }
  if (text !== undefined && isPuttyKey(text)) {
    await sortKey(file, bytes, { ...opening, access }, sorted);
    return;
  }
  const der = text === undefined ? bytes : bareBase64(text);
  switch (der && kindOfDer(der)) {
    case 'revocation list':
      sorted.lists.push({ file, crls: parseCrls(bytes) });
      break;
    case 'private key':
    case 'PKCS#1 key':
    case 'SEC1 key':
    case 'encrypted private key':
      await sortKey(file, bytes, { ...opening, access }, sorted);
      break;
    case 'public key':
    case 'request':
      sorted.others.push({ file, der: [der as Uint8Array] });
      break;
    default:
      sorted.certificates.push({ file, chain: parseCertificates(bytes), others: [] });
  }
}

/** One file may hold all of them; other objects are skipped if there are useful ones. */
async function sortBlocks(
  file: string,
  bytes: Buffer,
  opening: Opening & { access: Access },
  sorted: SortedFiles,
): Promise<void> {
  const blocks = splitPem(bytes);
  const labels = blocks.map(({ label }) => label);
  const holds = (pattern: RegExp): boolean => labels.some((label) => pattern.test(label));
  if (holds(/CRL$/)) sorted.lists.push({ file, crls: parseCrls(bytes) });
  if (holds(/PRIVATE KEY$/)) await sortKey(file, bytes, opening, sorted);
  const isOther = holds(/(PUBLIC KEY|REQUEST|PARAMETERS)$/);
  if (holds(/(CRL|PRIVATE KEY)$/) && !holds(CERTIFICATES)) return;
  if (isOther && !holds(CERTIFICATES)) sorted.others.push({ file, der: blocks.map(({ der }) => der) });
  else {
    const chain = parseCertificates(bytes);
    sorted.certificates.push({ file, chain, others: [], ...(holds(/REQUEST$/) && { hasRequest: true }) });
  }
}

/** @throws CredentialsError for a wrong passphrase */
async function sortKey(
  file: string,
  bytes: Buffer,
  { passphrase, access }: Opening & { access: Access },
  { keys, locked }: SortedFiles,
): Promise<void> {
  if (passphrase === undefined && isEncryptedKey(bytes)) locked.push(file);
  else
    keys.push({ file, publicKey: publicKeyOf(await readPrivateKeyOffThread(bytes, passphrase)), ...access });
}

/** A trust store holds unrelated certificates. */
async function sortStore(
  file: string,
  bytes: Buffer,
  { passphrase, keyName, access }: Opening & { access: Access },
  { certificates, keys }: SortedFiles,
): Promise<void> {
  const contents = await readPkcs12OffThread(bytes, passphrase);
  if (contents.keys.length === 0) {
    for (const { certificate } of pkcs12Certificates(contents))
      certificates.push({ file, chain: [certificate], others: [] });
    return;
  }
  const { pairs, others } = pkcs12Pairs(contents, keyName);
  for (const { name, chain, key } of pairs) {
    certificates.push({ file, chain, others, ...(pairs.length > 1 && { keyName: name }) });
    keys.push({ file, publicKey: publicKeyOf(key), ...access });
  }
}

function publicKeyOf(key: KeyObject): Buffer {
  return publicHalf(key).export({ type: 'spki', format: 'der' });
}
