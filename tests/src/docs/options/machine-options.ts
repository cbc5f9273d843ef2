// Why the options of enrolment, ACME and of looking at certificates have the defaults that they have: the end of the
// certificates' table in docs/defaults.md.
import { acmeOptions } from '../../../../packages/certs/src/acme/acme-options.js';
import { enrollOptions } from '../../../../packages/certs/src/enrolling/enroll.js';
import { enrolledCredentialsOptions } from '../../../../packages/certs/src/enrolling/enrolled-credentials.js';
import {
  renewEnrolledOptions,
  watchEnrolledOptions,
} from '../../../../packages/certs/src/enrolling/renew-enrolled.js';
import { convertKeyOptions } from '../../../../packages/certs/src/formats/formats.js';
import { inspectOptions } from '../../../../packages/certs/src/inspecting/inspect.js';
import { lintOptions } from '../../../../packages/certs/src/inspecting/lint.js';
import { verifyChainOptions } from '../../../../packages/certs/src/inspecting/verify-chain.js';
import { fullChainOptions } from '../../../../packages/certs/src/keys/chain.js';
import { optionOf, rowsOf, without, type OptionRow } from './option-rows.js';

const signal = ['none', 'ends the wait'] as const;
const now = ['now', 'another time shows what will hold then'] as const;
const given = 'none: it must be given';
const answers = 'each answer of the authority; a server that stopped answering is noticed';
const onError = ['a process warning', 'a renewal that fails unseen is an outage later'] as const;

const ofRenewEnrolled = Object.keys(renewEnrolledOptions) as (keyof typeof renewEnrolledOptions)[];
const ofWatchEnrolled = Object.keys(watchEnrolledOptions) as (keyof typeof watchEnrolledOptions)[];

const enrolling: OptionRow[] = [
  ...rowsOf(
    enrollOptions,
    {
      token: [given, 'it names the authority and proves that this machine may enrol'],
      dir: [given, 'only what is named is written'],
      names: ["the token's", 'a token may leave the choice'],
      keyType: 'small, fast, and every TLS implementation has it',
      force: 'what another token enrolled is replaced only on demand',
      timeout: answers,
      signal,
    },
    optionOf('enroll'),
  ),
  ...rowsOf(
    without(renewEnrolledOptions, ofRenewEnrolled, ['dir', 'timeout']),
    { dir: [given, 'the others are those of `renew`'], timeout: answers },
    optionOf('renewEnrolled'),
  ),
  ...rowsOf(
    without(watchEnrolledOptions, ofWatchEnrolled, ['dir', 'timeout']),
    { dir: [given, 'the others are those of `watchRenewal`'], timeout: answers },
    optionOf('watchEnrolled'),
  ),
  ...rowsOf(
    enrolledCredentialsOptions,
    {
      dir: [given, 'processes that share it enrol once'],
      token: ['none', 'needed until the folder holds a certificate'],
      authority: ["the token's, or the folder's", 'with it, another authority is refused'],
      names: ["the token's", 'with them, a certificate for others is refused'],
      keyType: 'as of `enroll`',
      renewAt: 'as of `renew`',
      timeout: answers,
      signal: ['none', 'ends the renewals'],
      onError,
    },
    optionOf('enrolledCredentials'),
  ),
];

const acme: OptionRow[] = rowsOf(
  acmeOptions,
  {
    domains: ['none: one at least must be given', 'the names that clients connect to'],
    directory: [given, 'the choice of a CA is yours'],
    challenge: [given, 'only you know which port the CA can reach'],
    dir: [given, 'processes that share it order once'],
    agree: "the CA's terms are yours to accept",
    email: ['none', 'most CAs write to nobody'],
    listen: ['every address, port 443 or 80', 'where the CA connects to'],
    httpChallenges: ['none', 'for http-01 with an HTTP server of your own'],
    caFile: ['none', 'as of `loadCredentials`: for servers that ask for client certificates'],
    crlFile: ['none', 'as of `loadCredentials`'],
    directoryCa: ['the public CAs that Node knows', 'only a private directory needs one'],
    proxy: ['none', 'only you know your network'],
    profile: ["the CA's choice", 'as it recommends'],
    eab: ['none', 'only CAs with accounts of their own ask for one'],
    keyType: 'small, fast, and every public CA certifies it',
    renewAt: 'where the CA suggests no date; a third of the validity is left for retries',
    timeout: 'each answer of the directory',
    orderTimeout: 'one order with its validations; CAs validate within seconds',
    retryAfter: 'doubled each time, up to 6 hours: CAs count failures against a limit',
    signal: ['none', 'ends the first order and the renewals'],
    onError,
  },
  optionOf('acmeCredentials'),
);

const looking: OptionRow[] = [
  ...rowsOf(
    verifyChainOptions,
    {
      passphrase: ['none', 'only PKCS#12 files and key stores need one'],
      keyName: ['the only key', 'of a PKCS#12 file with several'],
      chain: [given, 'the leaf first'],
      ca: [given, 'only you know whom you trust'],
      intermediates: ['none', 'what a chain lacks is a finding, unless you add it'],
      name: ['any', 'a path may be verified without a peer'],
      usage: 'most chains that are verified by hand are of servers',
      crls: ["none: revocation isn't checked", 'only what is named is read'],
      revocation: ['that of `crlFile` on a connection', 'the answer is that of a connection'],
      policies: ["what the path's CAs require", 'as RFC 5280 6.1 has it'],
      at: now,
      rules: "a private CA needn't meet the formal requirements of browsers",
      partialChain: "an intermediate in `ca` isn't a root unless you say so",
      signal,
    },
    optionOf('verifyChain'),
  ),
  ...rowsOf(
    inspectOptions,
    {
      passphrase: ['none', 'only encrypted files need one'],
      keyName: ['every key', 'of a PKCS#12 file with several'],
      at: now,
      timeout: 'for a server',
      signal,
    },
    optionOf('inspect'),
  ),
  ...rowsOf(without(lintOptions, ['passphrase', 'keyName']), { at: now }, optionOf('lint')),
  ...rowsOf(fullChainOptions, { root: 'a file for people; servers need none' }, optionOf('fullChain')),
  ...rowsOf(
    convertKeyOptions,
    {
      passphrase: ['none', 'only an encrypted key needs one'],
      newPassphrase: [
        'none: the result is unencrypted',
        'a passphrase that is stored beside the key protects nothing',
      ],
    },
    optionOf('convertKey'),
  ),
];

export const machineRows: readonly OptionRow[] = [...enrolling, ...acme, ...looking];
