import { createHash, hash } from 'node:crypto';

/** SHA-256 in lower-case hex, by the one-shot function where the runtime has it. */
export const sha256: (bytes: Uint8Array) => string =
  typeof hash === 'function'
    ? (bytes) => hash('sha256', bytes, 'hex')
    : (bytes) => createHash('sha256').update(bytes).digest('hex');
