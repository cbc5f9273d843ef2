/** Signed requests as an ACME server checks them (RFC 8555 §6.2 to §6.5), and the problems that it answers with. */
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';

export class Problem extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, detail: string, status = 400) {
    super(detail);
    this.type = type;
    this.status = status;
  }
}

export const problemType = (type: string): string => `urn:ietf:params:acme:error:${type}`;

/** A request whose signature is right. */
export interface Signed {
  readonly jwk: JsonWebKey;
  /** undefined: POST-as-GET. */
  readonly payload: unknown;
}

/** What the server knows. */
interface Known {
  /** Whether the nonce was given and not used before; it is used now. */
  readonly takeNonce: (nonce: string) => boolean;
  readonly keyOf: (account: string) => JsonWebKey | undefined;
}

interface Header {
  readonly alg: string;
  readonly nonce: string;
  readonly url: string;
  readonly jwk?: JsonWebKey;
  readonly kid?: string;
}

/** @throws Problem */
export function readSigned(body: string, url: string, { takeNonce, keyOf }: Known): Signed {
  const jws = JSON.parse(body) as { protected: string; payload: string; signature: string };
  const header = JSON.parse(decode(jws.protected)) as Header;
  if (!takeNonce(header.nonce)) throw new Problem('badNonce', 'an unknown nonce');
  if (header.url !== url) throw new Problem('unauthorized', 'signed for another URL', 401);
  const jwk = header.jwk ?? keyOf(header.kid ?? '');
  if (jwk === undefined) throw new Problem('accountDoesNotExist', 'no such account');
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const input = Buffer.from(`${jws.protected}.${jws.payload}`);
  const signature = Buffer.from(jws.signature, 'base64url');
  if (header.alg !== 'ES256' || !verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature))
    throw new Problem('malformed', 'a wrong signature');
  return { jwk, payload: jws.payload === '' ? undefined : JSON.parse(decode(jws.payload)) };
}

const decode = (part: string): string => Buffer.from(part, 'base64url').toString();
