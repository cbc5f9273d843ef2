// Why options of certs have the defaults that they have: a table of docs/defaults.md.
import { tokenOptions } from '../../../../packages/certs/src/enrolment/tokens.js';
import { webhookOptions } from '../../../../packages/certs/src/enrolment/webhook-policy.js';
import { expiryOptions } from '../../../../packages/certs/src/inspecting/expiry.js';
import { fetchLimitOptions } from '../../../../packages/certs/src/revocation/fetch-lists.js';
import { optionOf, optionTable, rowsOf } from './option-rows.js';

/** The generated part of docs/defaults.md. */
export const certsTables: Readonly<Record<string, string>> = {
  certs: optionTable([
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
      fetchLimitOptions,
      {
        timeout: 'one fetch, so that a server that swallows packets is noticed',
        maxBytes: 'the lists of the largest public CAs have some MiB',
      },
      optionOf('revocationSource'),
    ),
    ...rowsOf(
      expiryOptions,
      {
        files: ['none', 'only what is named is read'],
        folders: ['none', 'only what is named is read'],
        endpoints: ['none', 'only what is named is connected to'],
        days: 'enough to renew by hand, for certificates of 90 days and more',
        at: ['now', 'another time shows what will be due then'],
        timeout: 'for each server',
        signal: ['none', 'ends the wait'],
      },
      optionOf('checkExpiry'),
    ),
  ]),
};
