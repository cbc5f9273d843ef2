/** Connections for node:https. */
import type { AgentOptions } from 'node:http';
import { Agent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { asError } from '../errors/as-error.js';
import { InvalidOptionError } from '../errors/index.js';
import { HttpDialer, type HttpClientOptions } from './client-options.js';

/** Request options that would decide trust or the way beside us; silently ignored, they would be believed. */
const refused = [
  'ca',
  'cert',
  'checkServerIdentity',
  'ciphers',
  'crl',
  'ecdhCurve',
  'key',
  'localAddress',
  'lookup',
  'maxVersion',
  'minVersion',
  'passphrase',
  'pfx',
  'rejectUnauthorized',
  'secureContext',
  'secureProtocol',
  'session',
  'sigalgs',
  'socketPath',
] as const;

interface ConnectionOptions {
  readonly host?: string | null | undefined;
  readonly port?: number | string | null | undefined;
}

/**
 * An agent for node:https. The URL's host is the name that is asked for and verified, whatever a `Host` header says;
 * options of a request that would decide trust are refused there.
 */
export class SecureAgent extends Agent {
  readonly #dialer: HttpDialer;

  /**
   * @param pool how Node keeps the sockets; `keepAlive` is on unless turned off
   * @throws InvalidOptionError, CredentialsError; what `connect` throws reaches the request
   */
  constructor(options: HttpClientOptions = {}, pool: AgentOptions = {}) {
    super({ keepAlive: true, ...pool });
    this.#dialer = new HttpDialer(options);
    const wrong = refused.find((name) => name in pool);
    if (wrong !== undefined) throw refusal(wrong);
  }

  /** Called by Node: connects, verifies, and gives Node the socket. */
  override createConnection(
    options: ConnectionOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const failed = callback as ((error: Error) => void) | undefined;
    const wrong = refused.find(
      (name) => ((options as Record<string, unknown>)[name] ?? undefined) !== undefined,
    );
    if (wrong !== undefined) {
      failed?.(refusal(wrong));
      return;
    }
    this.#dialer.dial({ host: options.host ?? 'localhost', port: Number(options.port ?? 443) }).then(
      (socket) => callback?.(null, socket),
      (error: unknown) => failed?.(asError(error)),
    );
  }

  /** Sockets are shared by requests to one host and port, under the same credentials; all else is this agent's own. */
  override getName(options?: RequestOptions): string {
    const { host = 'localhost', port = 443 } = options ?? {};
    return `${host ?? ''}:${port ?? ''}:${this.#dialer.trustVersion}`;
  }
}

function refusal(option: string): InvalidOptionError {
  return new InvalidOptionError(option, `${option} is decided by the agent's own options`);
}
