/** Checks what an authority issued against the request before it is used. */
import type { KeyObject } from 'node:crypto';
import { verifyPath, type X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { fullChain } from '../keys/chain.js';
import type { CertificateKind } from '../issuing/extensions.js';
import { parseNames } from '../issuing/names.js';
import { certificateFits } from '../keys/key-matches.js';
import { usesOf } from '../inspecting/uses.js';

/** What must be in the certificate. */
export interface Wanted {
  readonly kind: CertificateKind;
  /** Every one of them must be there … */
  readonly names: readonly string[];
  /** … and where this is set, no other. */
  readonly exactly: boolean;
  readonly key: KeyObject;
  readonly anchors: readonly X509Certificate[];
}

/** A checked certificate. */
export interface Granted {
  readonly certificate: X509Certificate;
  /** PEM: the certificate, then its issuers without the root. */
  readonly chain: string;
}

/**
 * Checks key, names, usages, and the chain to a known root.
 * @param issuers the authority's certificates
 * @throws CertificateError `KNSOCK_CERTIFICATE_ENROLMENT`
 */
export async function checkGranted(
  given: readonly X509Certificate[],
  issuers: readonly X509Certificate[],
  wanted: Wanted,
): Promise<Granted> {
  const certificate = given.find((one) => certificateFits(one, wanted.key));
  if (certificate === undefined) throw refuse('it is for another key');
  checkNames(certificate, wanted);
  if (certificate.basicConstraints?.ca === true) throw refuse("it is an authority's");
  const { server, client } = usesOf(certificate);
  const fits = { server: server && !client, client: client && !server, peer: server && client }[wanted.kind];
  if (!fits) throw refuse(`it isn't for a ${wanted.kind}`);
  const others = [...given, ...issuers];
  const verdict = await verifyPath({
    leaf: certificate,
    intermediates: others,
    anchors: wanted.anchors,
    usage: server ? 'server' : 'client',
    crls: [],
    rules: 'private',
  });
  if (!verdict.ok) throw refuse(verdict.message, isOfDates(verdict.reason) ? WRONG_CLOCK : undefined);
  const path = verdict.path.map(({ pem }) => pem).join('');
  return { certificate, chain: fullChain(path, { root: false }) };
}

function checkNames(certificate: X509Certificate, { names, exactly }: Wanted): void {
  const has = new Set(namesOf(certificate));
  const asked = parseNames(names).map(({ value }) => value);
  const missing = asked.find((name) => !has.has(name));
  if (missing !== undefined) throw refuse(`it doesn't carry the name "${missing}"`);
  const extra = exactly ? [...has].find((name) => !asked.includes(name)) : undefined;
  if (extra !== undefined) throw refuse(`it carries the name "${extra}", which wasn't asked for`);
}

/** Every name of a certificate in canonical form. */
export function namesOf({ dnsNames, ipAddresses, uris, emailAddresses }: X509Certificate): string[] {
  return parseNames([...dnsNames, ...ipAddresses, ...uris, ...emailAddresses]).map(({ value }) => value);
}

const WRONG_CLOCK =
  "Is this machine's clock wrong, or the authority's? Set it and use the same token again: the same certificate comes back while the token lasts.";

function isOfDates(reason: string): boolean {
  return reason === 'expired' || reason === 'not-yet-valid';
}

function refuse(why: string, hint?: string): CertificateError {
  return new CertificateError(
    'KNSOCK_CERTIFICATE_ENROLMENT',
    `the certificate that the authority gave can't be used: ${why}`,
    hint === undefined ? {} : { hint },
  );
}
