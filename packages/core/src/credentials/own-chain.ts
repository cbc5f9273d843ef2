/**
 * The chain that we show. It is sent as it was given wherever some client may want it so: what no client can use is left
 * out, and other mistakes are warnings. Only what every client would refuse is refused here.
 */
import { CredentialsError } from '../errors/index.js';
import type { X509Certificate } from '../x509/certificate.js';
import { certificateWeakness, mayHaveIssued } from '../x509/issuance.js';
import { dateWarning, isWithinDates } from './dates.js';
import type { CredentialsWarning } from './warning.js';

export interface OwnChain {
  /** The leaf, then those that issued it, those that issued them and so on. */
  readonly chain: readonly X509Certificate[];
  readonly warnings: readonly CredentialsWarning[];
}

export interface OwnChainContext {
  readonly file: string | undefined;
  /** Whom we trust ourselves: a CA found there needs no valid twin in our own chain. */
  readonly anchors: readonly X509Certificate[];
  readonly now: number;
}

/**
 * @param given the leaf first
 * @throws CredentialsError 'weak' for a leaf that no peer accepts
 */
export function arrangeOwnChain(given: readonly X509Certificate[], context: OwnChainContext): OwnChain {
  const leaf = given[0] as X509Certificate;
  const { file } = context;
  refuseWeakness(leaf, context);
  const unique = given.filter((one, index) => given.findIndex(({ der }) => der.equals(one.der)) === index);
  const strong = unique.filter((certificate) => certificateWeakness(certificate) === undefined);
  const chain = linked(leaf, strong);
  const chainWarning = (message: string): CredentialsWarning => ({
    reason: 'chain',
    message,
    file,
    fatal: false,
  });
  const place = (certificate: X509Certificate): string =>
    `certificate ${given.indexOf(certificate) + 1} (${certificate.subject.toString()})${named(file)}`;

  const warnings: CredentialsWarning[] = [];
  for (const certificate of given.filter((one) => !unique.includes(one)))
    warnings.push(chainWarning(`${place(certificate)} stands there twice; it is sent once`));
  for (const certificate of unique.filter((one) => !strong.includes(one))) {
    const message = `${place(certificate)} ${certificateWeakness(certificate)}; it isn’t sent`;
    warnings.push({ reason: 'weak', message, file, fatal: false });
  }
  for (const certificate of strong.filter((one) => !chain.includes(one)))
    warnings.push(chainWarning(`${place(certificate)} issued none of the others; it isn’t sent`));
  if (!isInOrder(chain, given))
    warnings.push(chainWarning(`the certificates${named(file)} aren’t in order; they are sent leaf first`));
  warnings.push(...dateWarnings(chain, context, place));
  return { chain, warnings };
}

function refuseWeakness(leaf: X509Certificate, { file }: OwnChainContext): void {
  const weakness = certificateWeakness(leaf);
  if (weakness === undefined) return;
  throw new CredentialsError('weak', `certificate 1 (${leaf.subject.toString()})${named(file)} ${weakness}`, {
    file,
  });
}

/** Every certificate from which a path leads to the leaf: cross-signed twins stay, since different clients need either. */
function linked(leaf: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const chain = [leaf];
  // The chain grows while it is gone through.
  for (const certificate of chain) {
    if (certificate.isSelfIssued && certificate.isSelfSigned) continue;
    for (const candidate of all) {
      if (!chain.includes(candidate) && mayHaveIssued(candidate, certificate)) chain.push(candidate);
    }
  }
  return chain;
}

function isInOrder(chain: readonly X509Certificate[], given: readonly X509Certificate[]): boolean {
  return chain.every((one, index) => {
    const next = chain[index + 1];
    return next === undefined || given.indexOf(one) < given.indexOf(next);
  });
}

/**
 * Clients have roots and, above the issuing CA, often other certificates of the same CAs: a cross-signed twin that has
 * expired is passed over. The leaf has no twin, and an issuing CA's would have to be in our file.
 */
function dateWarnings(
  chain: readonly X509Certificate[],
  { now, file, anchors }: OwnChainContext,
  place: (certificate: X509Certificate) => string,
): CredentialsWarning[] {
  const leaf = chain[0] as X509Certificate;
  const isSelfSigned = leaf.isSelfIssued && leaf.isSelfSigned;
  const issuers = isSelfSigned ? [] : chain.filter((one) => one !== leaf && mayHaveIssued(one, leaf));
  const isAnyIssuerValid = [...issuers, ...anchors.filter((anchor) => mayHaveIssued(anchor, leaf))].some(
    (issuer) => isWithinDates(issuer, now),
  );
  return chain.flatMap((certificate) => {
    const fatal = certificate === leaf || (issuers.includes(certificate) && !isAnyIssuerValid);
    return dateWarning(certificate, place(certificate), { now, file, fatal }) ?? [];
  });
}

function named(file: string | undefined): string {
  return file === undefined ? '' : ` in ${file}`;
}
