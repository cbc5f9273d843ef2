import type { KeyObject } from 'node:crypto';
import type { BagAttributes } from './safe-bags.js';

/** What a PKCS#12 file holds, in its order; equal local key ids say that a key and a certificate belong together. */
export interface Pkcs12Contents {
  /** In the file's order. */
  readonly certificates: readonly ({ readonly der: Buffer } & BagAttributes)[];
  /** In the file's order. */
  readonly keys: readonly ({ readonly key: KeyObject } & BagAttributes)[];
  /** Keys with a passphrase of their own, beside others that were opened. */
  readonly locked?: readonly BagAttributes[] | undefined;
}
