/**
 * Enrols a machine with a token.
 *
 * Rules
 * - The key is made and written before anything is sent, and kept under the token's id until its certificate is in place:
 *   after an interruption the same token continues with the same key, and the authority returns the same certificate.
 * - Before the secret is sent, the root is verified by its fingerprint and the server by its name.
 * - The response is checked before it is written, and certificate and key are replaced together.
 */
import {
  abortSignal,
  filePath,
  flag,
  milliseconds,
  readAllOptions,
  required,
  string,
  texts,
  withDefault,
  type OptionReaders,
  type ReadOptions,
} from '@knsock/core/options';
import { InvalidOptionError } from '@knsock/core/errors';
import type { X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { readIfThere } from '../files/atomic-file.js';
import { writePair } from '../files/pair.js';
import { readCertificates } from '../files/source.js';
import { createCsr } from '../issuing/csr.js';
import { parseNames } from '../issuing/names.js';
import {
  DEFAULT_KEY_TYPE,
  keyTypeOption,
  generateKey,
  privateKeyPem,
  readPrivateKey,
  type KeyType,
} from '../keys/keys.js';
import { keyMatches } from '../keys/key-matches.js';
import { parseToken, type EnrolmentToken } from '../enrolment/enrolment-token.js';
import type { EstPlace } from './est-client.js';
import { ANSWER_TIMEOUT } from './enrolled-issuer.js';
import { checkGranted, namesOf, type Granted } from './granted.js';
import { MachineFolder } from './machine-folder.js';

/** Options of `enroll`. */
export interface EnrollOptions {
  /** The line that `knsock certs token` printed. */
  readonly token: string;
  /** The folder for certificate, key and root; created if missing. */
  readonly dir: string;
  /** The names to request, if the token leaves the choice; if it has names, they must be the same. */
  readonly names?: readonly string[] | undefined;
  /** Default `p256`. */
  readonly keyType?: KeyType | undefined;
  /** Replaces a certificate issued with another token; default false. */
  readonly force?: boolean | undefined;
  /** Timeout for each response of the authority, in ms; default 30,000. */
  readonly timeout?: number | undefined;
  /** Ends the wait for the authority, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How each of them is read, and its default. */
export const enrollOptions = {
  token: required<string>(string),
  dir: required<string>(filePath),
  names: texts<readonly string[] | undefined>,
  keyType: withDefault<KeyType>(keyTypeOption, DEFAULT_KEY_TYPE),
  force: withDefault<boolean>(flag, false),
  timeout: withDefault<number>(milliseconds, ANSWER_TIMEOUT),
  signal: abortSignal,
} as const satisfies OptionReaders<EnrollOptions>;

/** What `enroll` did, and the files. */
export interface Enrolled {
  /** False if this token's certificate was in place already. */
  readonly enrolled: boolean;
  /** `host:port` of the authority. */
  readonly authority: string;
  /** The certificate and its intermediates, PEM. */
  readonly certFile: string;
  /** The key, PEM. */
  readonly keyFile: string;
  /** The roots to trust, PEM. */
  readonly caFile: string;
  /** The names in the certificate. */
  readonly names: readonly string[];
  /** Lower-case hex. */
  readonly serial: string;
  /** When the certificate expires. */
  readonly notAfter: Date;
}

/**
 * Enrols this machine: makes a key that never leaves it, and has it certified. Called again with the same token it
 * continues where it was interrupted; of several processes only one enrols.
 * @throws CertificateError `KNSOCK_CERTIFICATE_TOKEN`, `_AUTHORITY` (another authority answers), `_ENROLMENT` (refused, or the
 *   response can't be used), `_EXISTS`, `_UNREACHABLE`; what `connect` throws
 */
export async function enroll(given: EnrollOptions): Promise<Enrolled> {
  const options = readAllOptions(given, enrollOptions);
  const token = parseToken(options.token);
  const names = namesFor(token, options.names);
  const folder = new MachineFolder(options.dir);
  await folder.prepare();
  return folder.exclusively(async () => {
    const there = await finished(folder, token, options.force);
    if (there !== undefined) return result(folder, token, there, false);
    const granted = await obtain(folder, token, names, options);
    return result(folder, token, granted.certificate, true);
  }, options.signal);
}

/** A token with names has its purpose fixed; any other leaves it to the machine. */
function namesFor({ names }: EnrolmentToken, wanted: readonly string[] | undefined): readonly string[] {
  if (names.length === 0) {
    if (wanted !== undefined && wanted.length > 0) return wanted;
    throw new InvalidOptionError('names', 'the token allows several names: choose one (the command: --name)');
  }
  if (wanted !== undefined && spelled(wanted) !== spelled(names))
    throw new InvalidOptionError(
      'names',
      `the token is for ${names.join(', ')}, not for ${wanted.join(', ')}`,
    );
  return names;
}

const spelled = (names: readonly string[]): string =>
  parseNames(names)
    .map(({ value }) => value)
    .sort()
    .join(' ');

/** The certificate issued with this token, if nothing is left to do. @throws CertificateError `KNSOCK_CERTIFICATE_EXISTS` */
async function finished(
  folder: MachineFolder,
  { id }: EnrolmentToken,
  force: boolean,
): Promise<X509Certificate | undefined> {
  const [pending, record, cert] = [
    await folder.pendingKey(id),
    await folder.record(),
    await readIfThere(folder.certFile),
  ];
  if (cert === undefined) return undefined;
  const [leaf] = await readCertificates(cert);
  const isOurs = record?.token === id;
  if (isOurs && pending === undefined) return leaf;
  if (isOurs && pending !== undefined && keyMatches(cert, pending)) {
    await folder.forgetPendingKey(id);
    return leaf;
  }
  // A pending key means that replacing was decided before.
  if (force || pending !== undefined) return undefined;
  const message = `${folder.certFile} exists already, from another enrolment`;
  const hint =
    'Renew it instead (knsock certs renew --dir), choose another folder, or say --force to replace it.';
  throw new CertificateError('KNSOCK_CERTIFICATE_EXISTS', message, { file: folder.certFile, hint });
}

async function obtain(
  folder: MachineFolder,
  token: EnrolmentToken,
  names: readonly string[],
  { keyType, timeout, signal }: ReadOptions<typeof enrollOptions>,
): Promise<Granted> {
  const { id, secret, address, root, kind } = token;
  const key = await keyFor(folder, id, keyType);
  const { certify, fetchPinned } = await import('./est-client.js');
  const place: EstPlace = { address, timeout, signal };
  const issuers = await fetchPinned(place, root);
  const anchors = issuers.filter(({ fingerprint256 }) => fingerprint256 === root);
  const ca = anchors.map(({ pem }) => pem).join('');
  const { csr } = await createCsr({ kind, names, privateKey: key });
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const given = await certify(place, { ca }, { path: 'simpleenroll', csr, headers: { authorization } });
  const wanted = { kind, names, exactly: token.names.length > 0, key: readPrivateKey(key), anchors };
  const granted = await checkGranted(given, issuers, wanted);
  await folder.remember({ authority: address, root, token: id }, ca);
  await writePair(folder, { chain: granted.chain, key }, { overwrite: true, signal });
  await folder.forgetPendingKey(id);
  return granted;
}

/** The pending key for this token's certificate; written before anything is sent. */
async function keyFor(folder: MachineFolder, token: string, keyType: KeyType): Promise<string> {
  const waiting = await folder.pendingKey(token);
  if (waiting !== undefined) return waiting;
  const key = privateKeyPem(await generateKey(keyType));
  await folder.keepPendingKey(token, key);
  return key;
}

function result(
  { certFile, keyFile, caFile }: MachineFolder,
  { address: authority }: EnrolmentToken,
  certificate: X509Certificate,
  enrolled: boolean,
): Enrolled {
  const { serial, notAfter } = certificate;
  return { enrolled, authority, certFile, keyFile, caFile, names: namesOf(certificate), serial, notAfter };
}
