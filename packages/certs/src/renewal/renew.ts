/** Renewal of a certificate in files, by an authority or another issuer. */
import { realpath } from 'node:fs/promises';
import {
  abortSignal,
  callback,
  filePath,
  flag,
  milliseconds,
  readAllOptions,
  required,
  string,
  withDeadline,
  withDefault,
  wrongKind,
  type OptionReaders,
  type ReadOptions,
} from '@knsock/core/options';
import { formOf, LEAF_MAX_DAYS, type X509Certificate } from '@knsock/core/x509';
import { readBytes } from '../files/atomic-file.js';
import type { Authority } from '../authorities/authority.js';
import { CertificateError } from '../errors.js';
import { signalFailed } from '../signal-failed.js';
import type { CertificateKind } from '../issuing/extensions.js';
import type { Issued, LeafOptions } from '../issuing/issue.js';
import type { KeyType } from '../keys/keys.js';
import { encryptKey, isEncryptedKey } from '../keys/key-encryption.js';
import { writePair } from '../files/pair.js';
import { usesOf } from '../inspecting/uses.js';
import { renewalDate, renewalRuleOptions, type RenewalRule } from './renewal.js';
import { readCertificates } from '../files/source.js';
import { keyMatches } from '../keys/key-matches.js';

/** Contents of the new certificate: the same as the old one's. */
export interface RenewalRequest extends LeafOptions {
  /** The certificate's use. */
  readonly kind: CertificateKind;
}

/** Options of `renew`. */
export interface RenewOptions extends RenewalRule {
  /** The certificate and its intermediates, PEM; replaced by the new ones. */
  readonly certFile: string;
  /** Its key, PEM; replaced together with it. */
  readonly keyFile: string;
  /**
   * The issuer: an authority, or a function that asks one elsewhere. Its signal fires with `signal` or after
   * `issueTimeout`; after that the result is ignored.
   */
  readonly issuer:
    | (Pick<Authority, 'issue'> & Partial<Pick<Authority, 'checkRenewal'>>)
    | ((request: RenewalRequest, context: { readonly signal: AbortSignal }) => Promise<Issued>);
  /** Timeout for the issuer's answer, in ms; default 60,000. */
  readonly issueTimeout?: number | undefined;
  /** Decrypts the key file, if it is encrypted; the renewed key is then encrypted with it too. */
  readonly keyPassphrase?: string | undefined;
  /** Keep the key, for peers that pin it; default false. */
  readonly reuseKey?: boolean | undefined;
  /** Renew even if it isn't due; default false. */
  readonly force?: boolean | undefined;
  /** Ends the waits for the issuer, and for another process that writes to the same folder. */
  readonly signal?: AbortSignal | undefined;
  /** Called once the files are in place, with the key unencrypted: reload programs that don't watch them. */
  readonly onRenewed?: ((renewed: Issued) => void | Promise<void>) | undefined;
}

/** How each of them is read, and its default. */
export const renewOptions = {
  ...renewalRuleOptions,
  certFile: required<string>(filePath),
  keyFile: required<string>(filePath),
  issuer: required<RenewOptions['issuer']>(readIssuer),
  issueTimeout: withDefault<number>(milliseconds, 60_000),
  keyPassphrase: string<string | undefined>,
  reuseKey: withDefault<boolean>(flag, false),
  force: withDefault<boolean>(flag, false),
  signal: abortSignal,
  onRenewed: callback<RenewOptions['onRenewed']>,
} as const satisfies OptionReaders<RenewOptions>;

function readIssuer(option: string, value: RenewOptions['issuer']): unknown {
  if (typeof value === 'function' || typeof (Object(value) as Partial<Authority>).issue === 'function')
    return value;
  throw wrongKind(option, value, 'an authority, or a function that asks one');
}

/** The same with their defaults. */
type RenewSettings = ReadOptions<typeof renewOptions>;

/** What `renew` did. */
export interface RenewResult {
  /** Whether it was replaced. */
  readonly renewed: boolean;
  /** When the current certificate expires. */
  readonly notAfter: Date;
  /** When it is due next. */
  readonly dueAt: Date;
}

/**
 * Renews a certificate if it is due: same names, subject, kind and length of validity. The files are replaced together; a
 * crash leaves the old pair or the new one. Links, owner and the group's read permission stay as they are.
 * @throws CertificateError if the files can't be read, the certificate is revoked or a name of it barred from renewal
 *   (`KNSOCK_CERTIFICATE_ENROLMENT`, where the issuer is an authority), the issuer refuses, or `onRenewed` failed
 *   (`KNSOCK_CERTIFICATE_HOOK`: the new certificate is in place anyway).
 */
export async function renew(given: RenewOptions): Promise<RenewResult> {
  const options = readAllOptions(given, renewOptions);
  const current = await readLeaf(options.certFile);
  requireLeaf(options, current);
  await requireReplaceable(options);
  // An authority elsewhere decides when it issues.
  if (typeof options.issuer !== 'function') await options.issuer.checkRenewal?.(current, options.certFile);
  const dueAt = renewalDate(current, options.renewAt);
  const due = options.force || (options.at ?? new Date()) >= dueAt;
  if (!due) return { renewed: false, notAfter: current.notAfter, dueAt };
  const key = (await readBytes(options.keyFile)).toString('utf8');
  checkPair(options, current, key);
  const request = requestOf(current, options.reuseKey ? key : undefined, options.keyPassphrase);
  return putInPlace(options, { current, key }, await issueBy(options, request));
}

/** If several processes renew at once, the first wins; the others' certificates are never used. */
async function putInPlace(
  options: RenewSettings,
  { current: old, key: oldKey }: { readonly current: X509Certificate; readonly key: string },
  issued: Issued,
): Promise<RenewResult> {
  const { certFile, keyFile, signal } = options;
  const written = { ...issued, key: await protectedLike(oldKey, issued.key, options.keyPassphrase) };
  const onlyIf = async () => (await readLeaf(certFile)).fingerprint256 === old.fingerprint256;
  // The targets of links, so that the links stay.
  const places = { certFile: await realpath(certFile), keyFile: await realpath(keyFile) };
  const renewed = await writePair(places, written, { overwrite: true, keepAccess: true, onlyIf, signal });
  if (renewed) await runHook(options.onRenewed, certFile, issued);
  const next = await readLeaf(certFile);
  return { renewed, notAfter: next.notAfter, dueAt: renewalDate(next, options.renewAt) };
}

/** The new key, encrypted where the old one is: reading the folder or its backups must not give the key away. */
async function protectedLike(old: string, key: string, passphrase: string | undefined): Promise<string> {
  if (passphrase === undefined || !isEncryptedKey(old) || isEncryptedKey(key)) return key;
  return encryptKey(key, passphrase);
}

/** A store's authority keeps the record; replacing the files is our job. */
async function issueBy(options: RenewSettings, request: RenewalRequest): Promise<Issued> {
  const { issuer, issueTimeout, signal } = options;
  if (typeof issuer !== 'function') return issuer.issue({ ...request, file: false, signal });
  const late = () => {
    const message = `the issuer didn't answer in ${issueTimeout.toLocaleString('en')} ms`;
    return new CertificateError('KNSOCK_CERTIFICATE_UNREACHABLE', message);
  };
  return withDeadline({
    ms: issueTimeout,
    signal,
    run: (either) => issuer(request, { signal: either }),
    signalFailed: signalFailed('an issuer'),
    late,
  });
}

async function readLeaf(file: string): Promise<X509Certificate> {
  const [leaf] = await readCertificates({ file });
  return leaf as X509Certificate;
}

/** A CA's successor is its operator's decision. A self-signed server of OpenSSL's has CA:TRUE too, and a name. */
function requireLeaf({ certFile: file }: RenewSettings, current: X509Certificate): void {
  const isAuthority = current.basicConstraints?.ca === true && namesOf(current).length === 0;
  if (!isAuthority) return;
  const message = `${file} is a CA's certificate, and a renewal makes those of servers and clients`;
  const hint =
    'Make its successor with createAuthority (the command: knsock certs ca NAME --replaces ROOT, or --under ROOT for an intermediate).';
  throw new CertificateError('KNSOCK_CERTIFICATE_UNSUPPORTED', message, { file, hint });
}

/** The successor is two PEM files: a program that reads another form couldn't use it, and one file would lose its key. */
async function requireReplaceable({ certFile, keyFile }: RenewSettings): Promise<void> {
  for (const file of [certFile, keyFile]) {
    const form = formOf(await readBytes(file));
    if (form !== 'PEM')
      throw irreplaceable(
        file,
        `${file} is ${form}; a renewal replaces PEM files`,
        `knsock certs convert ${file} --to pem --out NEW.pem makes it PEM.`,
      );
  }
  if ((await realpath(certFile)) !== (await realpath(keyFile))) return;
  const message = `certificate and key are in one file, ${certFile}; a renewal replaces two`;
  throw irreplaceable(
    certFile,
    message,
    "Split the file at the line of its key's BEGIN, and join the new ones after each renewal (onRenewed).",
  );
}

function irreplaceable(file: string, message: string, hint: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message, { file, hint });
}

/** A pair that doesn't match is a mistake to report, not to overwrite. */
function checkPair(
  { certFile, keyFile, keyPassphrase }: RenewSettings,
  current: X509Certificate,
  key: string,
): void {
  if (keyMatches(current.pem, key, keyPassphrase)) return;
  throw new CertificateError('KNSOCK_CERTIFICATE_KEY_MISMATCH', `${keyFile} is not the key of ${certFile}`, {
    file: keyFile,
  });
}

/** A certificate's contents, as the request for its successor. */
function requestOf(
  current: X509Certificate,
  privateKey: string | undefined,
  keyPassphrase: string | undefined,
): RenewalRequest {
  const { subject, crlDistributionPoints = [] } = current;
  const days = (current.notAfter.getTime() + 1_000 - current.notBefore.getTime()) / 86_400_000;
  const one = (oid: string) => subject.values(oid)[0];
  return {
    kind: kindOf(current),
    names: namesOf(current),
    days,
    maxDays: Math.max(days, LEAF_MAX_DAYS),
    keyType: keyTypeOf(current),
    commonName: subject.commonNames[0],
    organizationalUnit: subject.organizationalUnits,
    organization: one('2.5.4.10'),
    locality: one('2.5.4.7'),
    state: one('2.5.4.8'),
    country: one('2.5.4.6'),
    crlUrls: crlDistributionPoints.flatMap(({ names }) =>
      names.flatMap((name) => (name.kind === 'uri' ? [name.value] : [])),
    ),
    ...(privateKey === undefined ? {} : { privateKey, keyPassphrase }),
  };
}

function namesOf({ dnsNames, ipAddresses, uris, emailAddresses }: X509Certificate): string[] {
  return [...dnsNames, ...ipAddresses, ...uris, ...emailAddresses];
}

function kindOf(certificate: X509Certificate): CertificateKind {
  const { server, client } = usesOf(certificate);
  return server ? (client ? 'peer' : 'server') : 'client';
}

function keyTypeOf({ publicKeyInfo: { kind } }: X509Certificate): KeyType {
  if (kind.type === 'ed25519') return 'ed25519';
  if (kind.type.startsWith('ml-dsa-')) return kind.type.replaceAll('-', '') as KeyType;
  if ('bits' in kind) return kind.bits > 3_072 ? 'rsa4096' : kind.bits > 2_048 ? 'rsa3072' : 'rsa2048';
  return kind.type === 'ec' && kind.curve === '1.3.132.0.34' ? 'p384' : 'p256';
}

/**
 * Calls the hook of a renewal.
 * @throws CertificateError `KNSOCK_CERTIFICATE_HOOK` if it fails.
 */
export async function runHook(
  hook: RenewOptions['onRenewed'],
  certFile: string,
  issued: Issued,
): Promise<void> {
  try {
    await hook?.(issued);
  } catch (cause) {
    if (cause instanceof CertificateError && cause.code === 'KNSOCK_CERTIFICATE_HOOK') throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the hook after the renewal of ${certFile} failed: ${why}`;
    throw new CertificateError('KNSOCK_CERTIFICATE_HOOK', message, { cause, file: certFile });
  }
}
