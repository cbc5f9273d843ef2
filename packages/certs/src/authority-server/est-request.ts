/** What a request of EST carries: a token, an expired certificate, a certificate request. */
import type { IncomingMessage } from 'node:http';
import { parseCertificate, type X509Certificate } from '@knsock/core/x509';
import type { TokenSecret } from '../enrolment/token.js';

const MOST_BYTES = 65_536;

/** The response to a request that can't be served. */
export class Status extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** RFC 7617: the token's id as user, its secret as password. */
export function tokenOf({ headers }: IncomingMessage): TokenSecret | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]{4,400}={0,2})$/i.exec(headers.authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

/**
 * An expired certificate can't be used in a handshake, so it is sent in a header of our own; the request's signature
 * proves possession of its key.
 */
export function expiredOf({ headers }: IncomingMessage): X509Certificate | undefined {
  const text = headers['x-expired-certificate'];
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]{4,12000}={0,2}$/.test(text)) return undefined;
  try {
    return parseCertificate(Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}

/** The DER of a request; RFC 8951: the body is base64, whatever Content-Transfer-Encoding says. */
export async function readRequest(request: IncomingMessage): Promise<Buffer> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/pkcs10') throw new Status(415, 'Content-Type must be application/pkcs10');
  const tooLarge = new Status(413, `a request has at most ${MOST_BYTES} bytes`, { Connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += (chunk as Buffer).length;
      if (size > MOST_BYTES) throw tooLarge;
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error === tooLarge) throw error;
    // The client is gone; this is for the log.
    throw new Status(400, 'the client left in the middle of its request');
  }
  const text = Buffer.concat(chunks)
    .toString('latin1')
    .replace(/-----(BEGIN|END) (NEW )?CERTIFICATE REQUEST-----/g, '')
    .replace(/\s+/g, '');
  if (text === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new Status(400, "the request isn't base64");
  return Buffer.from(text, 'base64');
}
