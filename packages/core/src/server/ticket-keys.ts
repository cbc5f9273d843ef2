/**
 * Session ticket keys, derived from a secret, from the server's identity and from everything that decides trust: a session
 * from another server, or from under other CAs, lists or rules, can't even be decrypted. Node holds one key at a time: a new epoch costs each client one full
 * handshake; tickets live two hours.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { InvalidOptionError } from '../errors/index.js';

const EPOCH_MS = 12 * 3_600_000;
const MIN_SECRET = 32;

export class TicketSecret {
  /** How often to check whether a new epoch has begun, in milliseconds. */
  static readonly checkEvery = 600_000;
  readonly #secret: Buffer;

  /** @param secret shared by the machines that resume each other's sessions; absent: random, for this process only */
  constructor(secret: Uint8Array | undefined) {
    if (secret !== undefined && !(secret instanceof Uint8Array && secret.length >= MIN_SECRET)) {
      const given = (secret as unknown) instanceof Uint8Array ? secret.length : typeof secret;
      const words = `ticketSecret needs at least ${MIN_SECRET} random bytes, not ${given}`;
      throw new InvalidOptionError('ticketSecret', words);
    }
    this.#secret = secret === undefined ? randomBytes(MIN_SECRET) : Buffer.from(secret);
  }

  /** The 48 bytes that `node:tls` takes. @param trust the digest of what decides trust */
  keys(trust: string, at = Date.now()): Buffer {
    const epoch = Math.floor(at / EPOCH_MS);
    return Buffer.from(hkdfSync('sha256', this.#secret, trust, `knsock session tickets ${epoch}`, 48));
  }
}
