import { onDemand } from './on-demand.js';

export type { SecureContextOptions, SecureVersion } from 'node:tls';

export const createSecureContext = onDemand('node:tls', 'createSecureContext');
