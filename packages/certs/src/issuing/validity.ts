/** Validity of certificates: pure arithmetic on dates. */
import { LEAF_MAX_DAYS } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';

const DAY = 86_400_000;

/** Certificates start this much in the past, so that a peer whose clock is slow accepts them, in ms … */
export const CLOCK_SKEW = 3_600_000;
/** … but at most this fraction of the validity: for one of an hour the backdating would be too much. */
const SKEW_PART = 1 / 10;
/** A shorter validity is a mistake in the unit. */
const SHORTEST = 60_000;
/** Default validity of a server, client or peer certificate, in days. */
export const LEAF_DAYS = 90;
/** Default validity of an authority, in days: ten years. */
export const AUTHORITY_DAYS = 3_650;

/** Default days until the next revocation list is due. */
export const CRL_DAYS = 7;

/** The latest date in a certificate (RFC 5280 §4.1.2.5.2). */
const LAST_DATE = new Date('9999-12-31T23:59:59Z');

export interface ValidityRequest {
  /** Days from the start; fractions are allowed. */
  readonly days: number | undefined;
  readonly defaultDays: number;
  readonly maxDays: number;
  /** The end of the issuer's own validity; nothing it signs outlives it. */
  readonly issuerNotAfter?: Date | undefined;
  readonly now: Date;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * The dates of a new certificate, to the second. Asking for more days than allowed is an error; the default is
 * shortened to the end of the issuer's validity instead.
 * @throws CertificateError `KNSOCK_CERTIFICATE_VALIDITY`.
 */
export function decideValidity(request: ValidityRequest): Validity {
  const days = request.days ?? Math.min(request.defaultDays, request.maxDays);
  checkDays(days, request.maxDays);
  const skew = Math.min(CLOCK_SKEW, days * DAY * SKEW_PART);
  const notBefore = wholeSecond(request.now.getTime() - skew);
  // Both ends are inclusive (RFC 5280 §4.1.2.5), so the last second belongs to the next certificate.
  const notAfter = wholeSecond(notBefore.getTime() + days * DAY - 1_000);
  if (!(notAfter <= LAST_DATE)) throw refuse(`a validity of ${days} days ends after the year 9999`);
  const end = request.issuerNotAfter;
  if (end === undefined || notAfter <= end) return { notBefore, notAfter };
  if (end <= request.now) throw refuse(`the authority expired on ${end.toISOString()}`);
  if (request.days !== undefined) throw outlives(notAfter, end);
  return { notBefore, notAfter: end };
}

/** The dates of a revocation list signed now. */
export function crlDates(days: number, now: Date): { thisUpdate: Date; nextUpdate: Date } {
  checkDays(days, Number.POSITIVE_INFINITY);
  const thisUpdate = wholeSecond(now.getTime() - CLOCK_SKEW);
  const nextUpdate = wholeSecond(now.getTime() + days * DAY);
  if (!(nextUpdate <= LAST_DATE)) throw refuse(`a list for ${days} days ends after the year 9999`);
  return { thisUpdate, nextUpdate };
}

function checkDays(days: number, maxDays: number): void {
  if (!Number.isFinite(days) || days * DAY < SHORTEST)
    throw refuse(`a validity of ${days} days is under a minute, the shortest there is; 1 / 24 is an hour`);
  if (days <= maxDays) return;
  const reason = maxDays === LEAF_MAX_DAYS ? ', the most that browsers and Apple accept' : '';
  throw refuse(`a validity of ${days} days is over the limit of ${maxDays}${reason}`);
}

function outlives(notAfter: Date, end: Date): CertificateError {
  return refuse(
    `the certificate would end on ${notAfter.toISOString()}, after its authority (${end.toISOString()})`,
  );
}

function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1_000) * 1_000);
}

function refuse(message: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_VALIDITY', message);
}
