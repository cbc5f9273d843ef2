/**
 * Java's key stores from before PKCS#12: JKS, and JCEKS with its stronger encryption of keys. Certificates are in the
 * clear, keys are encrypted each by itself, and a digest with the passphrase covers the whole.
 */
import { ByteReader } from '../formats/byte-reader.js';
import { createHash, timingSafeEqual } from '../../node/crypto.js';
import { readAlgorithm } from '../algorithm.js';
import { Tag } from '../der.js';
import type { Opening } from '../encryption/derivation.js';
import { decipherBlocks } from '../encryption/encryption.js';
import { readIterations, readSalt } from '../encryption/key-derivation.js';
import { COST_OF_ROUND } from '../encryption/legacy-derivation.js';
import { decode, malformed, unsupported, wrongPassphrase } from '../encryption/problem.js';
import type { WorkBudget } from '../encryption/work-budget.js';
import { readPkcs8 } from '../keys/pkcs8.js';
import type { Pkcs12Contents } from './contents.js';

const DIGEST_BYTES = 20;
const MIGHTY_APHRODITE = Buffer.from('Mighty Aphrodite', 'utf8');
const JKS_PROTECTION = '1.3.6.1.4.1.42.2.17.1.1';
const JCEKS_PROTECTION = '1.3.6.1.4.1.42.2.19.1';
const AS_PKCS12 =
  'keytool -importkeystore -srckeystore FILE -srcstoretype jceks -destkeystore NEW.p12 -deststoretype pkcs12 -srcalias ALIAS takes one entry into a PKCS#12 file.';
const WRONG = "isn't opened by the passphrase, or was changed after it was made";

type Certificate = Pkcs12Contents['certificates'][number];
type Key = Pkcs12Contents['keys'][number];

interface LockedKey {
  readonly protectedKey: Buffer;
  readonly friendlyName: string;
  readonly localKeyId: Buffer;
}

/** @throws FileProblem */
export function* openJavaKeystore(
  bytes: Buffer,
  passphrase: string | undefined,
  budget: WorkBudget,
): Opening<Pkcs12Contents> {
  if (passphrase === undefined) throw wrongPassphrase('is locked with a passphrase, and none was given');
  const entries = bytes.subarray(0, -DIGEST_BYTES);
  const secret = Buffer.from(passphrase, 'utf16le').swap16();
  const digest = sha1(secret, MIGHTY_APHRODITE, entries);
  const said = bytes.subarray(-DIGEST_BYTES);
  if (said.length !== DIGEST_BYTES || !timingSafeEqual(said, digest)) throw wrongPassphrase(WRONG);
  const { certificates, locked } = readEntries(entries);
  const keys: Key[] = [];
  const others: LockedKey[] = [];
  for (const one of locked) {
    const { friendlyName, localKeyId } = one;
    const pkcs8 = yield* unlock(one, passphrase, budget);
    if (pkcs8 === undefined) others.push(one);
    else keys.push({ key: readPkcs8(pkcs8, 'holds a private key'), friendlyName, localKeyId });
  }
  const [first] = others;
  if (first !== undefined && keys.length === 0) throw otherPassphrase(first.friendlyName);
  return { certificates, keys, locked: others };
}

function readEntries(bytes: Buffer): { certificates: Certificate[]; locked: LockedKey[] } {
  const reader = new JavaReader(bytes);
  reader.number();
  const version = reader.number();
  if (version !== 1 && version !== 2) throw malformed(`is a Java keystore of the unknown version ${version}`);
  const certificates: Certificate[] = [];
  const locked: LockedKey[] = [];
  const count = reader.number();
  for (let index = 0; index < count; index += 1) {
    const tag = reader.number();
    const friendlyName = reader.text();
    reader.fixed(8); // when it was made
    if (tag === 2)
      certificates.push({ der: reader.certificate(version), friendlyName, localKeyId: undefined });
    else if (tag === 1) {
      const localKeyId = Buffer.of(index >>> 8, index & 0xff);
      locked.push({ protectedKey: reader.bytes(), friendlyName, localKeyId });
      const length = reader.number();
      for (let place = 0; place < length; place += 1) {
        const identity =
          place === 0 ? { friendlyName, localKeyId } : { friendlyName: undefined, localKeyId: undefined };
        certificates.push({ der: reader.certificate(version), ...identity });
      }
    } else if (tag === 3)
      throw unsupported(`holds the secret key "${friendlyName}" as a Java object, which only Java opens`, {
        hint: AS_PKCS12,
      });
    else throw malformed(`is a Java keystore with an entry of the unknown kind ${tag}`);
  }
  return { certificates, locked };
}

/** A key's own encryption, with the passphrase of the whole; undefined where it has another one. */
function* unlock(
  { protectedKey }: LockedKey,
  passphrase: string,
  budget: WorkBudget,
): Opening<Buffer | undefined> {
  const { algorithm, encrypted } = decode(protectedKey, 'encrypted key', (reader) => {
    const info = reader.enter(Tag.sequence, 'encrypted key');
    return {
      algorithm: readAlgorithm(info, 'encryption of the key'),
      encrypted: info.content(Tag.octetString, 'encrypted key'),
    };
  });
  const { oid, parameters = Buffer.alloc(0) } = algorithm;
  if (oid === JKS_PROTECTION) return unlockJks(encrypted, passphrase);
  if (oid !== JCEKS_PROTECTION)
    throw unsupported(`holds a key that is encrypted with the algorithm ${oid}, which isn't read here`);
  const { salt, iterations } = decode(parameters, 'encryption parameters', (reader) => {
    const inner = reader.enter(Tag.sequence, 'encryption parameters');
    return { salt: readSalt(inner), iterations: readIterations(inner) };
  });
  if (salt.length !== 8) throw malformed('holds a key with a damaged salt');
  budget.spend(2 * iterations * COST_OF_ROUND);
  const secret = Buffer.from(passphrase, 'latin1');
  const both = yield { kind: 'java-des', hash: 'md5', passphrase: secret, salt, iterations, length: 32 };
  return decipherBlocks('des-ede3-cbc', both.subarray(0, 24), both.subarray(24), encrypted);
}

/** A stream of SHA-1 over passphrase and what came before; the salt stands before the key, its digest behind it. */
function unlockJks(encrypted: Buffer, passphrase: string): Buffer | undefined {
  if (encrypted.length < 2 * DIGEST_BYTES) throw malformed('holds a key cut short');
  const secret = Buffer.from(passphrase, 'utf16le').swap16();
  const content = encrypted.subarray(DIGEST_BYTES, -DIGEST_BYTES);
  const plain = Buffer.alloc(content.length);
  let mask = encrypted.subarray(0, DIGEST_BYTES);
  for (let at = 0; at < content.length; at += 1) {
    if (at % DIGEST_BYTES === 0) mask = sha1(secret, mask);
    plain[at] = (content[at] as number) ^ (mask[at % DIGEST_BYTES] as number);
  }
  return timingSafeEqual(sha1(secret, plain), encrypted.subarray(-DIGEST_BYTES)) ? plain : undefined;
}

const otherPassphrase = (alias: string): Error =>
  unsupported(`holds the key "${alias}" with a passphrase of its own, other than the keystore's`, {
    hint: "keytool -keypasswd -alias ALIAS -keystore FILE changes it to the keystore's.",
  });

const sha1 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha1').update(Buffer.concat(parts)).digest();

/** What Java's DataOutputStream writes. */
class JavaReader extends ByteReader {
  constructor(bytes: Buffer) {
    super(bytes, 'is a Java keystore cut short');
  }

  bytes(): Buffer {
    return this.fixed(this.number());
  }

  text(): string {
    return this.fixed(this.fixed(2).readUInt16BE()).toString('utf8');
  }

  /** From version 2 on its kind stands before it, which is always X.509. */
  certificate(version: number): Buffer {
    if (version === 2) this.text();
    return this.bytes();
  }
}
