/** `knsock certs …`: one file per subcommand. */
import type { Command } from 'commander';
import { addGlobalOptions, configure } from '../global-options.js';
import type { Output } from '../output.js';
import { defineCa } from './certs/ca.js';
import { defineConvert } from './certs/convert.js';
import { defineCrl } from './certs/crl.js';
import { defineCsr } from './certs/csr.js';
import { defineEnroll } from './certs/enroll.js';
import { defineExpiry } from './certs/expiry.js';
import { defineFingerprint } from './certs/fingerprint.js';
import { defineInit } from './certs/init.js';
import { defineInspect } from './certs/inspect.js';
import { defineIssue } from './certs/issue.js';
import { defineLint } from './certs/lint.js';
import { defineMatch } from './certs/match.js';
import { defineRenew } from './certs/renew.js';
import { defineRevoke } from './certs/revoke.js';
import { defineSelfSigned } from './certs/self-signed.js';
import { defineServeAuthority } from './certs/serve.js';
import { defineSign } from './certs/sign.js';
import { defineTrust } from './certs/trust.js';
import { defineToken } from './certs/token.js';
import { defineVerify } from './certs/verify.js';

const subcommands = {
  init: defineInit,
  ca: defineCa,
  issue: defineIssue,
  'self-signed': defineSelfSigned,
  csr: defineCsr,
  sign: defineSign,
  revoke: defineRevoke,
  crl: defineCrl,
  inspect: defineInspect,
  verify: defineVerify,
  match: defineMatch,
  fingerprint: defineFingerprint,
  convert: defineConvert,
  lint: defineLint,
  expiry: defineExpiry,
  renew: defineRenew,
  serve: defineServeAuthority,
  token: defineToken,
  enroll: defineEnroll,
  trust: defineTrust,
} as const;

export function defineCerts(command: Command, output: Output): void {
  for (const [name, define] of Object.entries(subcommands)) {
    define(addGlobalOptions(configure(command.command(name))), output);
  }
  command.addHelpText('after', HELP);
}

const HELP = `
Authorities and the certificates they issue are kept in a directory, the store: ./certs unless --store or KNSOCK_STORE is set.

Examples:
  $ knsock certs init
  $ knsock certs issue db.internal 10.0.0.7
  $ knsock certs self-signed localhost 127.0.0.1
  $ knsock certs inspect example.com:443
  $ knsock certs expiry certs example.com:443`;
