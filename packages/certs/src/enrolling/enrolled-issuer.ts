/** The issuer of a machine's renewals: its authority, which authenticates the machine by the certificate being renewed. */
import type { KeyObject } from 'node:crypto';
import type { X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { readBytes } from '../files/atomic-file.js';
import { readCertificates } from '../files/source.js';
import { createCsr } from '../issuing/csr.js';
import type { Issued } from '../issuing/issue.js';
import { readPrivateKey } from '../keys/keys.js';
import type { RenewalRequest } from '../renewal/renew.js';
import type { EstPlace, EstTrust } from './est-client.js';
import { checkGranted } from './granted.js';
import { MachineFolder } from './machine-folder.js';
import { nextRoots } from './roots.js';

/** Timeout for each response of the authority, in ms. */
export const ANSWER_TIMEOUT = 30_000;

/**
 * Asks the authority where a folder was enrolled, and follows a change of its root.
 * @throws CertificateError, or what `connect` throws
 */
export function enrolledIssuer(
  directory: string,
  timeout: number,
): (request: RenewalRequest, context: { readonly signal: AbortSignal }) => Promise<Issued> {
  const folder = new MachineFolder(directory);
  return async (request, { signal }) => {
    const record = await folder.record();
    if (record === undefined) throw notEnrolled(directory);
    return issueAt(folder, { address: record.authority, timeout, signal }, request);
  };
}

export function notEnrolled(directory: string): CertificateError {
  const message = `${directory} wasn't enrolled at an authority`;
  const hint = 'Enrol first: knsock certs enroll --token-file FILE --dir DIR.';
  return new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', message, { hint });
}

async function issueAt(folder: MachineFolder, place: EstPlace, request: RenewalRequest): Promise<Issued> {
  const { certify, fetchOffered } = await import('./est-client.js');
  const own = await readOwn(folder);
  const { days: _days, maxDays: _max, crlUrls: _urls, ...wanted } = request;
  // No handshake accepts an expired certificate: the request proves possession of its key.
  const expired = own.leaf.notAfter < new Date();
  const { csr, key } = await createCsr({ ...wanted, ...(expired && { privateKey: own.key }) });
  const headers = expired ? { 'x-expired-certificate': own.leaf.der.toString('base64') } : {};
  const issuers = await fetchOffered(place);
  const anchors = await followRoots(folder, await readCertificates(own.ca), issuers);
  const ca = pemOf(anchors);
  const trust: EstTrust = expired ? { ca } : { cert: own.cert, key: own.key, ca };
  const given = await certify(place, trust, { path: 'simplereenroll', csr, headers });
  const { kind, names = [] } = wanted;
  const keyObject: KeyObject = readPrivateKey(key);
  const granted = await checkGranted(given, issuers, { kind, names, exactly: true, key: keyObject, anchors });
  return { certificate: granted.certificate.pem, key, chain: granted.chain };
}

async function readOwn({ certFile, keyFile, caFile }: MachineFolder) {
  const [cert, key, ca] = await Promise.all(
    [certFile, keyFile, caFile].map(async (file) => (await readBytes(file)).toString('utf8')),
  );
  const [leaf] = await readCertificates(cert ?? '');
  return { cert: cert ?? '', key: key ?? '', ca: ca ?? '', leaf: leaf as X509Certificate };
}

/** Written before the certificate that needs it. */
async function followRoots(
  folder: MachineFolder,
  known: readonly X509Certificate[],
  offered: readonly X509Certificate[],
): Promise<readonly X509Certificate[]> {
  const next = nextRoots(known, offered, new Date());
  if (pemOf(next) !== pemOf(known)) await folder.trust(pemOf(next));
  return next;
}

const pemOf = (certificates: readonly X509Certificate[]): string =>
  certificates.map(({ pem }) => pem).join('');
