// Why the options of single calls have the defaults that they have: a table of docs/defaults.md.
import {
  closeOptions,
  lendOptions,
  requestOptions,
  sendOptions,
  waitOptions,
} from '../../../../packages/core/src/connection/call-options.js';
import {
  acquireOptions,
  closeOptions as poolCloseOptions,
  requestOptions as poolRequestOptions,
} from '../../../../packages/pool/src/waiting/wait-options.js';
import { optionOf, optionTable, rowsOf } from './option-rows.js';

const signal = ['none', 'ends the wait'] as const;

/** The generated part of docs/defaults.md. */
export const callTables: Readonly<Record<string, string>> = {
  calls: optionTable([
    ...rowsOf(
      requestOptions,
      {
        timeout: ['`requestTimeout`', 'one call may know better; 0 fails at once'],
        signal,
        idempotent: ['false', 'whether it may be sent twice; only pools send it again'],
      },
      optionOf('request'),
    ),
    ...rowsOf(
      waitOptions,
      {
        timeout: [
          'none in `receive`, `requestTimeout` in `ping`',
          'how long a peer is silent on purpose only you know',
        ],
        signal,
      },
      (name) => `\`${name}\` of \`receive\` and \`ping\``,
    ),
    ...rowsOf(sendOptions, { signal }, optionOf('send')),
    ...rowsOf(
      lendOptions,
      {
        lend: ['false', "a message that is kept must be the listener's own"],
        poison: ['false', 'for tests: shows a lent message that is used too late'],
      },
      optionOf('onMessage'),
    ),
    ...rowsOf(
      closeOptions,
      {
        deadline: ['`drainTimeout`', 'until what is in flight is cut off; 0 at once'],
        code: ['none', 'what the peer reports, on the knsock framing'],
        text: ['none', 'for people, beside a code'],
      },
      optionOf('close'),
    ),
    ...rowsOf(
      acquireOptions,
      {
        timeout: ['`acquireTimeout`', '0 takes an idle one or fails'],
        signal,
        prefer: ['none', 'of `Pool<T>`: which idle one to take, where there is a choice'],
        untracked: ['false', 'of `Pool<T>`: for a holder that keeps it long on purpose'],
      },
      (name) => `\`${name}\` of \`acquire\` and \`use\` of pools`,
    ),
    ...rowsOf(
      poolRequestOptions,
      {
        timeout: ['`requestTimeout`', 'all of it: a connection, its opening, the answer'],
        signal,
        idempotent: ['false', 'a request that may have been executed is sent again only where you say so'],
      },
      (name) => `\`${name}\` of \`request\` of \`ConnectionPool\``,
    ),
    ...rowsOf(
      poolCloseOptions,
      { deadline: 'until what is in use is destroyed; 0 at once' },
      (name) => `\`${name}\` of \`close\` of pools`,
    ),
  ]),
};
