import type { JsonWebKey, KeyObject } from 'node:crypto';
import { FileProblem, malformed, unsupported } from '../encryption/problem.js';
import { ecKey, edwardsKey, rsaKey } from './key-numbers.js';

/** Reads a private JSON Web Key (RFC 7517), or a set of one. @throws FileProblem 'malformed' or 'unsupported' */
export function readJwk(text: string): KeyObject {
  const jwk = parse(text);
  if (jwk.kty === 'oct')
    throw unsupported('is a symmetric key (JWK "oct"), which TLS certificates don\'t have');
  if (jwk.d === undefined)
    throw new FileProblem('malformed', "can't be read: it is a JSON Web Key of the public half alone", {
      hint: 'Give the private key: it has a member "d".',
    });
  const number = (name: keyof JsonWebKey): Buffer => numberOf(jwk, name);
  switch (jwk.kty) {
    case 'RSA':
      return rsaKey({
        n: number('n'),
        e: number('e'),
        d: number('d'),
        p: number('p'),
        q: number('q'),
        dp: number('dp'),
        dq: number('dq'),
        qi: number('qi'),
      });
    case 'EC':
      return ecKey(String(jwk.crv), number('d'), number('x'), number('y'));
    case 'OKP':
      return edwardsKey(String(jwk.crv), number('d'));
    default:
      throw unsupported(`is a JSON Web Key of the type ${JSON.stringify(jwk.kty)}, which isn't known here`);
  }
}

function parse(text: string): JsonWebKey {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed("can't be read: it is no proper JSON", cause);
  }
  const { keys } = value as { keys?: unknown };
  if (!Array.isArray(keys)) return value as JsonWebKey;
  if (keys.length === 1) return (keys[0] ?? {}) as JsonWebKey;
  throw new FileProblem('unsupported', `is a set of ${keys.length} JSON Web Keys`, {
    hint: 'Take the one out that is meant: jq .keys[0] FILE.',
  });
}

function numberOf(jwk: JsonWebKey, name: keyof JsonWebKey): Buffer {
  const text = jwk[name];
  if (typeof text === 'string') return Buffer.from(text, 'base64url');
  throw malformed(`is a JSON Web Key without its member "${name}"`);
}
