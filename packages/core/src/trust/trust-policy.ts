/** Which peers one side trusts: everything that verification depends on, parsed. */
import { InvalidOptionError } from '../errors/index.js';
import type { Credentials } from '../credentials/credentials.js';
import { flag, having, readOptions, withDefault, type OptionReaders } from '../options/index.js';
import { show } from '../options/readers.js';
import { parseRules, type AuthorizeRules, type RuleMatcher } from '../policy/rules.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import { crlRevocation } from './crl-revocation.js';
import type { RevocationSource } from './revocation.js';

/** Decides in code whether a peer is admitted; an exception refuses. `peer` is null where an optional certificate wasn't sent. */
export type AuthorizeFunction = (
  peer: PeerIdentity | null,
  context: { signal: AbortSignal },
) => boolean | Promise<boolean>;

/** The trust options that both sides share. */
export interface TrustOptions {
  /** Which of the peers with a valid certificate are admitted; absent: all of them. */
  authorize?: AuthorizeRules | AuthorizeFunction | undefined;
  /** Public keys (`sha256/…`), one of which must be in the peer's path, in addition to everything else. */
  pins?: readonly string[] | undefined;
  /** Replaces the lists of `crlFile`. */
  revocation?: RevocationSource | undefined;
  /** Trusts a chain that ends at a certificate in `ca` that isn't a root. */
  partialChain?: boolean | undefined;
}

/** How each of them is read, and its default. */
export const trustOptions = {
  authorize: parseAuthorize,
  pins: parsePins,
  revocation: (option, value) => having(option, value, 'a RevocationSource', ['check', 'onChange']),
  partialChain: withDefault(flag, false),
} as const satisfies OptionReaders<TrustOptions>;

/** Parsed: every value is set. */
export interface TrustPolicy {
  readonly credentials: Credentials;
  /** The usage that the peer's certificate must be valid for. */
  readonly usage: 'server' | 'client';
  /** Whether a peer without a certificate is refused. */
  readonly required: boolean;
  /** The name its certificate must carry; null where peers have no name to check. */
  readonly name: string | null;
  readonly rules: RuleMatcher | null;
  readonly authorize: AuthorizeFunction | null;
  readonly pins: ReadonlySet<string> | null;
  readonly revocation: RevocationSource | null;
  readonly partialChain: boolean;
  /** Changes with the declarative rules and pins; of a function it only records that there is one. */
  readonly digest: string;
  /** `'pins'`: only the pin of the peer's own key is checked; `'nothing'`: the chain and the name aren't verified. */
  readonly verify: 'chain' | 'pins' | 'nothing';
}

/** The settings that a side adds to the shared options. */
export type TrustSide = Pick<TrustPolicy, 'credentials' | 'usage' | 'required' | 'name' | 'verify'>;

/** @throws InvalidOptionError */
export function parseTrust(options: TrustOptions, side: TrustSide): TrustPolicy {
  const { authorize: allowed, pins, revocation, partialChain } = readOptions(options, trustOptions);
  const { authorize } = options;
  return Object.freeze({
    ...side,
    ...allowed,
    pins,
    revocation: revocation ?? listsOf(side.credentials),
    partialChain,
    digest: JSON.stringify([
      typeof authorize === 'function' ? 'function' : authorize,
      options.pins,
      options.partialChain,
    ]),
  });
}

function parseAuthorize(
  _option: string,
  value: TrustOptions['authorize'],
): Pick<TrustPolicy, 'rules' | 'authorize'> {
  if (typeof value === 'function') return { rules: null, authorize: value };
  return { rules: value === undefined ? null : parseRules(value), authorize: null };
}

const PIN = /^sha256\/[A-Za-z0-9+/]{43}=$/;

function parsePins(_option: string, pins: readonly string[] | undefined): ReadonlySet<string> | null {
  if (pins === undefined) return null;
  if (!Array.isArray(pins) || pins.length === 0)
    throw new InvalidOptionError('pins', 'pins must be a list of at least one pin');
  for (const pin of pins as readonly string[]) {
    if (!PIN.test(pin)) {
      throw new InvalidOptionError(
        'pins',
        `a pin is 'sha256/' and 44 characters of base64, not ${show(pin)}`,
      );
    }
  }
  return new Set(pins as readonly string[]);
}

/** CRL issuers that aren't on a peer's path may be among our own CAs. */
function listsOf({ crls, anchors, chain }: Credentials): RevocationSource | null {
  return crls.length === 0 ? null : crlRevocation({ crls, issuers: [...(anchors ?? []), ...chain] });
}
