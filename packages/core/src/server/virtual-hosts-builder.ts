/** Creates the virtual hosts of a listener from the current state: all of them, or none where one can't be created. */
import { toSource } from '../credentials/source.js';
import { InvalidOptionError } from '../errors/index.js';
import { anything, checkOptions, word, type OptionReaders } from '../options/index.js';
import { createCredentials } from '../credentials/credentials.js';
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
  const build = (name: string | null, entry: SniEntry): ServerContext => {
    const credentials = toSource(entry.credentials, createCredentials({})).current;
    const clientCertificates = entry.clientCertificates ?? config.clientCertificates;
    const trust = rulesFor(entry, state);
    checkServerCredentials(clientCertificates, trust, credentials);
    return new ServerContext(
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
  };
  const named = new Map<string, ServerContext>();
  for (const [name, entry] of Object.entries(state.sni)) {
    const parsed = parseHostName(name);
    if (named.has(parsed)) throw new InvalidOptionError('sni', `sni names ${parsed} twice`);
    named.set(parsed, build(parsed, parseEntry(name, entry)));
  }
  return new VirtualHosts(build(null, { credentials: state.source }), named, config.unknownName);
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
