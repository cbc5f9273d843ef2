import { createHmac, timingSafeEqual } from '../../node/crypto.js';
import { readAlgorithm, type AlgorithmIdentifier } from '../algorithm.js';
import { Tag, type DerReader } from '../der.js';
import type { Opening } from '../encryption/derivation.js';
import { hmacOf, readIterations, readKeyDerivation, readSalt } from '../encryption/key-derivation.js';
import {
  COST_OF_ROUND,
  digestLength,
  Purpose,
  roundsOf,
  type LegacyHash,
} from '../encryption/legacy-derivation.js';
import type { Passphrase } from '../encryption/passphrase.js';
import { decode, unsupported } from '../encryption/problem.js';
import type { WorkBudget } from '../encryption/work-budget.js';

/** The code over a file's contents by which its passphrase is recognised. */
export interface Mac {
  /** Whether a passphrase gives the same code. */
  fits(contents: Buffer, passphrase: Passphrase, budget: WorkBudget): Opening<boolean>;
}

const PBMAC1 = '1.2.840.113549.1.5.14';

const hashes: Readonly<Record<string, LegacyHash>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** Reads MacData (RFC 7292 4, RFC 9579). @throws MalformedDerError, or FileProblem 'malformed' or 'unsupported' */
export function readMac(reader: DerReader): Mac {
  const macData = reader.enter(Tag.sequence, 'MAC');
  const digestInfo = macData.enter(Tag.sequence, 'MAC');
  const algorithm = readAlgorithm(digestInfo, 'MAC algorithm');
  const code = digestInfo.content(Tag.octetString, 'MAC value');
  digestInfo.finish('MAC');
  const salt = readSalt(macData);
  const iterations = macData.isDone ? 1 : readIterations(macData);
  macData.finish('MAC');
  return algorithm.oid === PBMAC1 ? modernMac(algorithm, code) : legacyMac(algorithm, code, salt, iterations);
}

function legacyMac({ oid }: AlgorithmIdentifier, code: Buffer, salt: Buffer, iterations: number): Mac {
  const hash = hashes[oid];
  if (hash === undefined)
    throw unsupported(`is protected by a MAC with the algorithm ${oid}, which isn't read here`);
  return {
    *fits(contents, { bmp: passphrase }, budget) {
      const length = digestLength(hash);
      const work = {
        kind: 'pkcs12',
        hash,
        purpose: Purpose.mac,
        passphrase,
        salt,
        iterations,
        length,
      } as const;
      budget.spend(roundsOf(work) * COST_OF_ROUND);
      return isCode(hash, yield work, contents, code);
    },
  };
}

/** PBMAC1 brings its own salt and count; the key's length has to be given (RFC 9579 4). */
function modernMac({ parameters = Buffer.alloc(0) }: AlgorithmIdentifier, code: Buffer): Mac {
  return decode(parameters, 'MAC parameters', (reader) => {
    const inner = reader.enter(Tag.sequence, 'MAC parameters');
    const derivation = readKeyDerivation(readAlgorithm(inner, 'key derivation'));
    const { hash } = hmacOf(readAlgorithm(inner, 'HMAC').oid);
    inner.finish('MAC parameters');
    const { keyLength } = derivation;
    if (keyLength === undefined || keyLength < 20)
      return inner.fail('MAC key has no length of 20 bytes or more');
    return {
      *fits(contents, { utf8 }, budget) {
        return isCode(hash, yield* derivation.derive(utf8, keyLength, budget), contents, code);
      },
    };
  });
}

function isCode(hash: string, key: Buffer, contents: Buffer, code: Buffer): boolean {
  const expected = createHmac(hash, key).update(contents).digest();
  return code.length === expected.length && timingSafeEqual(code, expected);
}
