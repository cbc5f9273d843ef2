/** The key of an ACME account, and what it signs: JSON Web Signatures (RFC 7515) as RFC 8555 §6.2 wants them. */
import { createHash, createHmac, sign, type KeyObject } from 'node:crypto';
import { publicHalf } from '@knsock/core/x509';
import { readPrivateKey } from '../keys/keys.js';

/** A signed request. */
export interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

interface Jwk {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y: string;
}

/** A P-256 key, which every CA takes. */
export class AccountKey {
  readonly jwk: Jwk;
  /** RFC 7638. */
  readonly thumbprint: string;
  readonly #key: KeyObject;

  /** @param pem @throws CertificateError where it can't be read */
  constructor(pem: string) {
    this.#key = readPrivateKey(pem);
    const { crv = '', kty = '', x = '', y = '' } = publicHalf(this.#key).export({ format: 'jwk' });
    // In the order of RFC 7638 §3.3, which the thumbprint depends on.
    this.jwk = { crv, kty, x, y };
    this.thumbprint = createHash('sha256').update(JSON.stringify(this.jwk)).digest('base64url');
  }

  /** @param payload undefined for POST-as-GET */
  sign(header: Readonly<Record<string, unknown>>, payload: unknown): Jws {
    const body = unsigned({ alg: 'ES256', ...header }, payload);
    const input = Buffer.from(`${body.protected}.${body.payload}`);
    const signature = sign('sha256', input, { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return { ...body, signature: signature.toString('base64url') };
  }

  /** What a challenge is answered with (RFC 8555 §8.1). */
  authorization(token: string): string {
    return `${token}.${this.thumbprint}`;
  }
}

/** The binding to an account that the CA knows from elsewhere (RFC 8555 §7.3.4). */
export function externalBinding(
  { kid, hmacKey }: { readonly kid: string; readonly hmacKey: string },
  url: string,
  { jwk }: AccountKey,
): Jws {
  const body = unsigned({ alg: 'HS256', kid, url }, jwk);
  const mac = createHmac('sha256', Buffer.from(hmacKey, 'base64url'));
  return { ...body, signature: mac.update(`${body.protected}.${body.payload}`).digest('base64url') };
}

function unsigned(header: unknown, payload: unknown): Omit<Jws, 'signature'> {
  return { protected: encode(header), payload: payload === undefined ? '' : encode(payload) };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
