// Why options of certs have the defaults that they have: a table of docs/defaults.md.
import { authorityServerOptions } from '../../../../packages/certs/src/authority-server/serve-authority.js';
import { crlOptions } from '../../../../packages/certs/src/authorities/authority.js';
import { developmentOptions } from '../../../../packages/certs/src/authorities/development-authority.js';
import { tokenOptions } from '../../../../packages/certs/src/enrolment/tokens.js';
import { webhookOptions } from '../../../../packages/certs/src/enrolment/webhook-policy.js';
import { expiryOptions } from '../../../../packages/certs/src/inspecting/expiry.js';
import { csrOptions } from '../../../../packages/certs/src/issuing/csr.js';
import { issueOptions, selfSignedOptions } from '../../../../packages/certs/src/issuing/issue.js';
import { policyOptions } from '../../../../packages/certs/src/issuing/signing-policy.js';
import { AUTHORITY_DAYS, LEAF_DAYS } from '../../../../packages/certs/src/issuing/validity.js';
import { DEFAULT_KEY_TYPE } from '../../../../packages/certs/src/keys/keys.js';
import { signerOptions } from '../../../../packages/certs/src/keys/signer.js';
import { renewOptions } from '../../../../packages/certs/src/renewal/renew.js';
import { watchRenewalOptions } from '../../../../packages/certs/src/renewal/watch-renewal.js';
import { fetchCrlsOptions } from '../../../../packages/certs/src/revocation/fetch-lists.js';
import { revocationSourceOptions } from '../../../../packages/certs/src/revocation/revocation-source.js';
import { revocationPolicyReaders } from '../../../../packages/core/src/x509/revocation-policy.js';
import { rootOptions, storeOptions } from '../../../../packages/certs/src/store/store.js';
import { machineRows } from './machine-options.js';
import { optionOf, optionTable, rowsOf, without } from './option-rows.js';

const subject = ['commonName', 'organization', 'organizationalUnit', 'locality', 'state', 'country'] as const;
const keyOfIts = ['none: a new key', 'a key that exists, such as one that peers pin'] as const;
const leafDays = [
  `${LEAF_DAYS}, or until the authority expires if that is earlier`,
  'short enough that renewals are routine, long enough that a failed one can be fixed',
] as const;
const signal = ['none', 'ends the wait'] as const;
const ofIssue = Object.keys(issueOptions) as (keyof typeof issueOptions)[];

/** The generated part of docs/defaults.md. */
export const certsTables: Readonly<Record<string, string>> = {
  certs: optionTable([
    ...rowsOf(
      without(rootOptions, ['organization', 'organizationalUnit', 'locality', 'state', 'country']),
      {
        commonName: ['none: it must be given', 'its name distinguishes it from other authorities'],
        days: [
          `${AUTHORITY_DAYS.toLocaleString('en')}; of an intermediate, until its issuer expires if that is earlier`,
          'replacing a root touches every peer',
        ],
        keyType: [`\`'${DEFAULT_KEY_TYPE}'\``, 'small, fast, and every TLS implementation has it'],
        signer: ['none: a new key', 'a key in an HSM or a key management service'],
        pathLength: [
          'any number of authorities below a root, none below an intermediate',
          'most hierarchies have two levels',
        ],
        nameConstraints: [
          'none: it may sign for any name',
          'only you know your names; set them, and a stolen key is of use for these alone',
        ],
        crlUrls: ['none', "only you know where its issuer's list will be served"],
        file: 'the root of a store; in `createAuthority` of a store alone, like the next two',
        replaces: ['none', 'the old root signs the new one, so that machines that trust the old one follow'],
        replacesSigner: ['none: its key in the store', 'where that key is held elsewhere'],
        signal: ['none', 'ends the wait for a signer'],
      },
      optionOf('createAuthority'),
    ),
    ...rowsOf(
      developmentOptions,
      {
        commonName: 'the name that trust stores show',
        permitted: [
          '`localNames`: names and networks that no public site has',
          "with its stolen key nobody can impersonate anyone's site",
        ],
        days: 'as for any authority',
        keyType: 'as for any authority',
      },
      optionOf('createDevelopmentAuthority'),
    ),
    ...rowsOf(
      without(issueOptions, subject),
      {
        kind: [
          'none: it must be given',
          "a server's certificate isn't accepted from a client, nor the reverse",
        ],
        names: [
          'none: one at least must be given, or for a client a `commonName`',
          'peers are known by their names',
        ],
        days: leafDays,
        maxDays: 'browsers and Apple accept no more',
        keyType: 'small, fast, and every TLS implementation has it',
        privateKey: keyOfIts,
        keyPassphrase: ['none', 'only an encrypted `privateKey` needs one'],
        crlUrls: ['none', "only you know where the authority's list will be served"],
        file: ['made from the first name', 'the name of its files in a store; `false` writes none'],
        overwrite: 'files that a server may be using are replaced only on demand',
        signal: ['none', 'ends the wait for a signer'],
      },
      optionOf('issue'),
    ),
    ...rowsOf(
      without(selfSignedOptions, ofIssue, ['kind']),
      { kind: 'the others are those of `issue`' },
      optionOf('createSelfSigned'),
    ),
    ...rowsOf(
      without(csrOptions, ofIssue, ['kind']),
      { kind: 'the others are those of `issue`, without what the authority decides' },
      optionOf('createCsr'),
    ),
    ...rowsOf(
      policyOptions,
      {
        kind: ['none: it must be given', "a request doesn't decide what it is used for"],
        names: ['none: they must be given', 'only names that you allow are signed'],
        addNames: ['none', 'for requests that have only a common name, as many made by openssl'],
        skipOtherNames: 'a certificate without a name that was requested surprises; refusing says so',
        copySubject: ['none', "a request's claims about its organization are unproved"],
        subject: ['none', 'peers are known by their names'],
        days: leafDays,
        maxDays: 'browsers and Apple accept no more',
        crlUrls: ['none', "only you know where the authority's list will be served"],
        reference: ['none', "recorded in the store's index, such as a ticket's number"],
        file: ['made from the first name', 'the name of its file in a store; `false` writes none'],
        overwrite: 'as of `issue`',
        signal: ['none', 'ends the wait for a signer'],
      },
      optionOf('sign'),
    ),
    ...rowsOf(
      crlOptions,
      {
        days: 'a peer refuses an expired list, so it outlives a long weekend without a new one',
        signal: ['none', 'ends the wait for a signer'],
      },
      optionOf('crl'),
    ),
    ...rowsOf(
      signerOptions,
      {
        publicKey: ['none: it must be given', 'the certificate is for it'],
        algorithm: [
          "the key's: SHA-256 for RSA and P-256, SHA-384 for P-384, SHA-512 for P-521; Ed25519",
          'a hash as strong as the key',
        ],
        sign: ['none: it must be given', 'only you know the service'],
        timeout: 'one signature; a service that stopped answering is noticed',
      },
      optionOf('signer'),
    ),
    ...rowsOf(
      storeOptions,
      {
        passphrase: [
          "none: the authorities' keys are readable for their owner",
          'a passphrase that is stored beside the keys protects nothing',
        ],
        lockTimeout: 'a write takes milliseconds; a process that holds the lock for longer is stuck',
        signal: ['none', 'ends every wait for the lock'],
      },
      optionOf('openStore'),
    ),
    ...rowsOf(
      renewOptions,
      {
        certFile: ['none: it must be given', 'only what is named is replaced'],
        keyFile: ['none: it must be given', 'only what is named is replaced'],
        issuer: ['none: it must be given', 'an authority, or a function that asks one'],
        renewAt:
          "a third of the validity is left for retries; a twentieth of it is spread, so that a fleet doesn't renew at once",
        at: ['now', 'another time shows what will be due then'],
        issueTimeout:
          'an issuer elsewhere may ask a person or a queue; an authority of knsock answers in milliseconds',
        keyPassphrase: ['none', 'only an encrypted key needs one; the new one is encrypted too'],
        reuseKey: 'a new key ends the use of a stolen one; keep it where peers pin it',
        force: 'what is not due is left alone',
        signal: ['none', 'ends the waits'],
        onRenewed: ['none', "reload programs that don't watch their files"],
      },
      optionOf('renew'),
    ),
    ...rowsOf(
      without(watchRenewalOptions, Object.keys(renewOptions) as (keyof typeof renewOptions)[], ['signal']),
      {
        signal: ['none: it must be given', 'nothing else ends it'],
        retryAfter:
          'doubled each time, up to an hour: the authority is spared, and a third of the validity is left',
        onResult: ['none', 'for your logs'],
        onError: ['a process warning', 'a renewal that fails unseen is an outage later'],
      },
      optionOf('watchRenewal'),
    ),
    ...rowsOf(
      authorityServerOptions,
      {
        store: ['none: it must be given', 'its authority signs'],
        authority: ['the only one whose key is in the store', 'a choice between several is yours'],
        signer: ["none: the store's key", 'a key in an HSM or a key management service'],
        names: ['none: they must be given', "machines verify them in the server's own certificate"],
        renewDays: ['as long as the one that is renewed', "the token's decision stays"],
        maxDays: 'whatever a token says',
        expiredGrace: 'an expired certificate proves nothing; set it where machines are off for long',
        permit: ["any names that the authority's own constraints allow", 'tokens decide'],
        policy: ['none', 'tokens and certificates decide'],
        crlDays: 'signed again after half of that, and at each revocation',
        crlListen: ['off', 'plain HTTP is served only on demand'],
        crlUrls: ['where `crlListen` serves it, else none', 'certificates say where their list is'],
        onEnrolled: ['none', 'for your logs'],
        onRefused: ['none', 'for your logs: the answer to the client says less'],
      },
      optionOf('serveAuthority'),
    ),
    ...rowsOf(
      tokenOptions,
      {
        names: ['none', 'they or `allow` must be given: a token is for names'],
        allow: ['none', 'a request for anything beyond `names` is refused'],
        commonName: ['the first name', 'programs that show one name show that'],
        kind: 'most machines connect to others',
        days: 'a machine renews by itself, so that a stolen key is of use for a day',
        uses: 'one token, one machine',
        expiresIn: 'an hour is enough to copy a line; a token that is found later is of no use',
      },
      optionOf('createToken'),
    ),
    ...rowsOf(
      webhookOptions,
      {
        url: ['none: it must be given', 'only you know the service'],
        headers: ['none', 'such as a key that the service demands'],
        timeout: 'a machine waits meanwhile, and may retry',
      },
      optionOf('webhookPolicy'),
    ),
    ...rowsOf(
      fetchCrlsOptions,
      {
        timeout: 'a server that swallows packets is noticed',
        maxBytes: 'the lists of the largest public CAs have some MiB',
        signal,
      },
      optionOf('fetchCrls'),
    ),
    ...rowsOf(
      without(
        revocationSourceOptions,
        Object.keys(revocationPolicyReaders) as (keyof typeof revocationPolicyReaders)[],
      ),
      {
        crls: ['none: they must be given', 'only what is named is fetched'],
        issuers: [
          'none: the path that is verified decides',
          'a list without a trusted signature has no effect in any case',
        ],
        interval:
          'a revocation is known within five minutes; sooner where the server says so (`Cache-Control`)',
        cacheDir: ['none', "with it, a start while the list's server is down still knows the last one"],
        timeout: 'one fetch, so that a server that swallows packets is noticed',
        maxBytes: 'the lists of the largest public CAs have some MiB',
        onError: ['a process warning', 'an old list is noticed before it expires'],
        signal: ['none', 'ends the refreshing'],
      },
      optionOf('revocationSource'),
    ),
    ...rowsOf(
      expiryOptions,
      {
        passphrase: ['none', 'only PKCS#12 files need one'],
        files: ['none', 'only what is named is read'],
        folders: ['none', 'only what is named is read'],
        endpoints: ['none', 'only what is named is connected to'],
        days: 'enough to renew by hand, for certificates of 90 days and more',
        at: ['now', 'another time shows what will be due then'],
        timeout: 'for each server',
        signal,
      },
      optionOf('checkExpiry'),
    ),
    ...machineRows,
  ]),
};
