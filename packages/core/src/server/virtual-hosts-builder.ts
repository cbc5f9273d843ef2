/** Creates the virtual hosts of a listener from the current state: all of them, or none where one can't be created. */
import { toSource, type CredentialSource } from '../credentials/source.js';
import { InvalidOptionError } from '../errors/index.js';
import { anything, checkOptions, word, type OptionReaders } from '../options/index.js';
import { createCredentials } from '../credentials/credentials.js';
import { ACME_TLS } from '../transport/client-hello.js';
import { parseTrust, type TrustOptions } from '../trust/trust-policy.js';
import { checkServerCredentials, type HostConfig } from './config.js';
import { ServerContext, type ContextEvents } from './server-context.js';
import { VirtualHosts, parseHostName } from './virtual-hosts.js';
import type { TicketSecret } from './ticket-keys.js';
import type { SniEntry, TrustState } from './trust-state.js';

/** @throws InvalidOptionError, CredentialsError; nothing has changed then */
export function buildVirtualHosts(
  config: HostConfig,
  state: TrustState,
  secret: TicketSecret,
  events: ContextEvents,
): VirtualHosts {
  const challenges = new Map<ServerContext, CredentialSource>();
  const build = (name: string | null, entry: SniEntry): ServerContext => {
    const source = toSource(entry.credentials, createCredentials({}));
    const credentials = source.current;
    const clientCertificates = entry.clientCertificates ?? config.clientCertificates;
    const trust = rulesFor(entry, state);
    checkServerCredentials(clientCertificates, trust, credentials);
    const context = new ServerContext(
      {
        name,
        credentials,
        clientCertificates,
        trust: parseTrust(trust, {
          credentials,
          usage: 'client',
          required: clientCertificates === 'require',
          name: null,
          verify: 'chain',
        }),
        profile: config.profile,
        extraTls: config.extraTls,
        protocols: config.protocols,
        handshakeTimeout: config.limits.handshakeTimeout,
        secret,
      },
      events,
    );
    if (source.challengeFor !== undefined) challenges.set(context, source);
    return context;
  };
  const named = new Map<string, ServerContext>();
  for (const [name, entry] of Object.entries(state.sni)) {
    const parsed = parseHostName(name);
    if (named.has(parsed)) throw new InvalidOptionError('sni', `sni names ${parsed} twice`);
    named.set(parsed, build(parsed, parseEntry(name, entry)));
  }
  const fallback = build(null, { credentials: state.source });
  if (challenges.size > 0) refuseAcmeFraming(config.protocols);
  return new VirtualHosts(fallback, named, config.unknownName, challenges);
}

/** A connection under that protocol would be the program's, with the certificate of every day. */
function refuseAcmeFraming(protocols: readonly string[]): void {
  if (!protocols.includes(ACME_TLS)) return;
  const words = `no framing may have the ALPN name ${ACME_TLS} where credentials answer ACME validations (challengeFor)`;
  throw new InvalidOptionError('framing', words);
}

/** The default rules are about certificates; they don't apply to an entry that requests none. */
function rulesFor(entry: SniEntry, { trust }: TrustState): TrustOptions {
  if (entry.clientCertificates === 'none') return { authorize: entry.authorize };
  return { ...trust, authorize: entry.authorize ?? trust.authorize };
}

const entryOptions = {
  credentials: anything,
  clientCertificates: word('none', 'request', 'require'),
  authorize: anything,
} as const satisfies OptionReaders<SniEntry>;

function parseEntry(name: string, entry: SniEntry): SniEntry {
  checkOptions(entry, entryOptions, `sni.${name}`);
  if (entry.credentials === undefined)
    throw new InvalidOptionError('sni', `sni entry ${name} has no credentials`);
  return entry;
}
