import { onDemand } from './on-demand.js';

export type { KeyObject, ScryptOptions } from 'node:crypto';

export const createDecipheriv = onDemand('node:crypto', 'createDecipheriv');
export const createHash = onDemand('node:crypto', 'createHash');
export const createHmac = onDemand('node:crypto', 'createHmac');
export const createPrivateKey = onDemand('node:crypto', 'createPrivateKey');
export const createPublicKey = onDemand('node:crypto', 'createPublicKey');
export const hash = onDemand('node:crypto', 'hash');
export const pbkdf2 = onDemand('node:crypto', 'pbkdf2');
export const pbkdf2Sync = onDemand('node:crypto', 'pbkdf2Sync');
export const scrypt = onDemand('node:crypto', 'scrypt');
export const scryptSync = onDemand('node:crypto', 'scryptSync');
export const timingSafeEqual = onDemand('node:crypto', 'timingSafeEqual');
export const verify = onDemand('node:crypto', 'verify');

/** OpenSSL's numbers. */
export const constants = (): typeof import('node:crypto').constants =>
  process.getBuiltinModule('node:crypto').constants;
