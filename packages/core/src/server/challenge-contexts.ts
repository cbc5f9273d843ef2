/** The TLS contexts of challenges that are pending, one a name: an ACME server validates a name from several places at once. */
import type { AlpnChallenge } from '../credentials/source.js';
import { createCredentials } from '../credentials/credentials.js';
import { isThenable, follow } from '../errors/thenable.js';
import { InvalidOptionError } from '../errors/index.js';
import { constants } from '../node/crypto.js';
import { parseProfile } from '../policy/tls-profile.js';
import { ACME_TLS } from '../transport/client-hello.js';
import { parseTrust } from '../trust/trust-policy.js';
import { ServerContext, type ContextEvents } from './server-context.js';
import { TicketSecret } from './ticket-keys.js';

/** As many as the names of one certificate may be. */
const MOST_CONTEXTS = 100;

interface Made extends AlpnChallenge {
  readonly context: ServerContext;
}

export class ChallengeContexts {
  readonly #handshakeTimeout: number;
  readonly #events: ContextEvents;
  readonly #made = new Map<string, Made>();

  constructor(handshakeTimeout: number, events: ContextEvents) {
    this.#handshakeTimeout = handshakeTimeout;
    this.#events = events;
  }

  /**
   * The context that answers for a name; null without a challenge.
   * @param given what the source returned
   * @throws InvalidOptionError where that is no challenge, CredentialsError where its certificate and key can't be used
   */
  of(servername: string, given: AlpnChallenge | undefined): ServerContext | null {
    if (given === undefined) {
      this.#made.delete(servername);
      return null;
    }
    const { cert, key } = checked(given);
    const known = this.#made.get(servername);
    if (known?.cert === cert && known.key === key) return known.context;
    const context = this.#create({ cert, key });
    this.#remember(servername, { cert, key, context });
    return context;
  }

  #remember(servername: string, made: Made): void {
    const [oldest] = this.#made.keys();
    if (oldest !== undefined && this.#made.size >= MOST_CONTEXTS) this.#made.delete(oldest);
    this.#made.set(servername, made);
  }

  /** Under the default profile, whatever the listener's is: no data is exchanged, and the ACME server must get through. */
  #create(challenge: AlpnChallenge): ServerContext {
    const credentials = createCredentials(challenge);
    return new ServerContext(
      {
        name: ACME_TLS,
        credentials,
        clientCertificates: 'none',
        trust: parseTrust({}, { credentials, usage: 'client', required: false, name: null, verify: 'chain' }),
        profile: parseProfile(),
        extraTls: { secureOptions: constants().SSL_OP_NO_TICKET },
        protocols: [ACME_TLS],
        handshakeTimeout: this.#handshakeTimeout,
        // A secret of its own, so that no other context resumes its sessions, nor it theirs.
        secret: new TicketSecret(undefined),
      },
      this.#events,
    );
  }
}

/** A source may be the program's own. */
function checked(given: unknown): AlpnChallenge {
  const { cert, key } = (given ?? {}) as { cert?: unknown; key?: unknown };
  if (typeof cert === 'string' && typeof key === 'string') return { cert, key };
  // A promise is refused, but its rejection must not end the process.
  if (isThenable(given)) follow(given, undefined, () => undefined);
  throw new InvalidOptionError(
    'credentials.challengeFor',
    `credentials.challengeFor must return { cert, key } as PEM at once, or undefined${isThenable(given) ? ', not a promise' : ''}`,
  );
}
