/** Translates an EST server's refusal for the machine that enrols. */
import type { IncomingHttpHeaders } from 'node:http';
import { printable } from '@knsock/core/errors';
import { CertificateError } from '../errors.js';

interface Refused {
  readonly address: string;
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const LONGEST = 300;

export function failureOf({ address, path, status, headers, text }: Refused): CertificateError {
  const said = printable(text.trim().split('\n', 1)[0] ?? '').slice(0, LONGEST);
  const why = said === '' ? `status ${status}` : said;
  if (status === 401) {
    const message = `${address} refused the token: it is unknown, used by another key, withdrawn, or has expired`;
    return new CertificateError('KNSOCK_CERTIFICATE_ENROLMENT', message);
  }
  // 202: an operator decides (RFC 7030 4.2.3).
  if (status === 202 || status === 429 || status >= 500) {
    const wait = headers['retry-after'];
    const again = wait === undefined ? '' : `; it may be asked again in ${printable(wait)} s`;
    const hint = "Try again later; the authority's log says more.";
    const message = `${address} can't answer now: ${why}${again}`;
    return new CertificateError('KNSOCK_CERTIFICATE_UNREACHABLE', message, { hint });
  }
  if (status === 404) {
    const message = `${address} has no ${path}`;
    const hint = 'Is an EST server there (RFC 7030), and is that its address?';
    return new CertificateError('KNSOCK_CERTIFICATE_UNREACHABLE', message, { hint });
  }
  return new CertificateError('KNSOCK_CERTIFICATE_ENROLMENT', `${address} refused the request: ${why}`);
}
