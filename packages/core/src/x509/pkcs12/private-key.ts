import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readAlgorithm } from '../algorithm.js';
import { Tag } from '../der.js';
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
  try {
    return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  } catch (cause) {
    if (known.has(oid)) throw garbage('holds a private key that OpenSSL can’t read', cause);
    throw unsupported(`holds a private key of the algorithm ${oid}, which this Node doesn’t know`, { cause });
  }
}
