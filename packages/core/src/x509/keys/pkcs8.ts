import type { KeyObject } from 'node:crypto';
import { MalformedDerError } from '../../errors/malformed-der.js';
import { readAlgorithm } from '../algorithm.js';
import { Tag, type DerReader } from '../der.js';
import { decode, malformed, unsupported } from '../encryption/problem.js';
import { derElement } from '../formats/ber.js';
import { keyOid } from '../oid.js';
import { LaterNodeError, openPrivateKey } from './open-key.js';

const known: ReadonlySet<string> = new Set(Object.values(keyOid));

/**
 * Reads PrivateKeyInfo or OneAsymmetricKey (RFC 5958 2).
 * @param subject such as "holds a private key", for errors
 * @throws FileProblem 'malformed' or 'unsupported'
 */
export function readPkcs8(pkcs8: Buffer, subject: string): KeyObject {
  const { oid, first } = decode(pkcs8, 'private key', (reader) => {
    const info = reader.enter(Tag.sequence, 'private key');
    const version = info.smallInteger(1, 'version of the private key');
    const algorithm = readAlgorithm(info, 'algorithm of the private key');
    return { oid: algorithm.oid, first: firstVersion(version, algorithm.der, info) };
  });
  if (!known.has(oid)) throw unsupported(`${subject} of the algorithm ${oid}, which isn't known here`);
  return readPlainKey(first ?? pkcs8, subject);
}

/** A key that isn't encrypted: PKCS#8, PKCS#1 (RFC 8017 A.1.2) or SEC1 (RFC 5915). */
export function readPlainKey(der: Buffer, subject: string): KeyObject {
  try {
    return openPrivateKey(der);
  } catch (cause) {
    const why = cause instanceof MalformedDerError ? `: ${cause.message}` : '';
    if (cause instanceof LaterNodeError)
      throw unsupported(`${subject} that can't be used${why}`, { cause, hint: cause.hint });
    throw malformed(`${subject} that can't be used${why}`, cause);
  }
}

/** Version 2 adds the public key, as Java and ring write it; OpenSSL 3 reads only the first, which says as much. */
function firstVersion(version: number, algorithm: Buffer, info: DerReader): Buffer | undefined {
  const key = info.element('private key');
  while (!info.isDone) info.element('attributes and public key');
  if (version === 0) return undefined;
  return derElement(Tag.sequence, Buffer.concat([Buffer.of(Tag.integer, 1, 0), algorithm, key]));
}
