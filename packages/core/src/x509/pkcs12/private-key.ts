import type { KeyObject } from 'node:crypto';
import { MalformedDerError } from '../../errors/malformed-der.js';
import { readAlgorithm } from '../algorithm.js';
import { Tag } from '../der.js';
import { openPrivateKey } from '../keys/open-key.js';
import { keyOid } from '../oid.js';
import { decode, garbage, unsupported } from './problem.js';

const known: ReadonlySet<string> = new Set(Object.values(keyOid));

/** Reads PrivateKeyInfo (RFC 5958 2). @throws CredentialsError 'garbage' or 'unsupported' */
export function readPrivateKey(pkcs8: Buffer): KeyObject {
  const oid = decode(pkcs8, 'private key', (reader) => {
    const info = reader.enter(Tag.sequence, 'private key');
    info.smallInteger(1, 'version of the private key');
    return readAlgorithm(info, 'algorithm of the private key').oid;
  });
  if (!known.has(oid))
    throw unsupported(`holds a private key of the algorithm ${oid}, which isn’t known here`);
  try {
    return openPrivateKey(pkcs8);
  } catch (cause) {
    const why = cause instanceof MalformedDerError ? `: ${cause.message}` : '';
    throw garbage(`holds a private key that can’t be used${why}`, cause);
  }
}
