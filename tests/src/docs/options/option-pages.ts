// The tables of options in docs/, by page and by the name in their markers.
import { callTables } from './call-options.js';
import { certsTables } from './certs-options.js';
import { coreTables } from './core-options.js';
import { credentialTables } from './credential-options.js';
import { httpTables } from './http-options.js';
import { knSockTables } from './kn-sock-options.js';
import { poolTables } from './pool-options.js';

export const optionParts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/defaults.md': { ...coreTables, ...callTables, ...credentialTables, ...certsTables, ...knSockTables },
  'docs/http.md': httpTables,
  'docs/pool.md': poolTables,
};
