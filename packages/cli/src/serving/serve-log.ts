/** The log of a running server: lines for people on standard error, or events as JSON on standard output. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type {
  CredentialFiles,
  Credentials,
  SecureConnection,
  SecureServer,
  WatchedCredentials,
} from '@knsock/core';
import { showAddress } from '../address.js';
import { describeFailure } from '../failure.js';
import type { Output } from '../output.js';
import { StatusLine } from '../status-line.js';
import { canRedraw } from '../terminal.js';
import { logRefusedSockets } from './refused-sockets.js';

type Fields = Readonly<Record<string, unknown>>;

export class ServeLog {
  readonly #output: Output;
  readonly #command: string;
  #statusLine: StatusLine | null = null;
  readonly #told = new WeakSet<Error>();
  #refused = new WeakSet<Error>();
  readonly #failed = (message: unknown): void => {
    const { address, error, suppressed } = message as { address: string; error: unknown; suppressed: number };
    this.failed(address, error, suppressed);
  };

  readonly #validated = (message: unknown): void => {
    const { address: from, servername: name } = message as { address: string; servername: string };
    this.#tell('validation', { from, name }, `${from} validated ${name}: an ACME server was answered`);
  };

  /** @param command whose flags the hints name */
  constructor(output: Output, command: string) {
    this.#output = output;
    this.#command = command;
  }

  /** Shows a line with the server's counters below the log, on a terminal. */
  showStatus(server: Pick<SecureServer, 'stats'>): void {
    const { quiet, json } = this.#output.manner;
    if (quiet || json || !canRedraw()) return;
    this.#statusLine = new StatusLine(() => {
      const { connections, pendingHandshakes, accepted, refusedPeers } = server.stats();
      return `${connections} open, ${pendingHandshakes} in handshake, ${accepted} accepted, ${refusedPeers} refused`;
    });
  }

  end(): void {
    this.#statusLine?.end();
    this.#statusLine = null;
  }

  /** Logs clients that fail or are refused by a limit, and ACME servers that were answered, until the returned function is called. */
  watchFailures(): () => void {
    subscribe('knsock:failure', this.#failed);
    subscribe('knsock:validation', this.#validated);
    const endRefusals = logRefusedSockets((...told) => {
      this.#tell(...told);
    });
    return () => {
      unsubscribe('knsock:failure', this.#failed);
      unsubscribe('knsock:validation', this.#validated);
      endRefusals();
    };
  }

  /** @param status the address of the status page */
  listening({ address }: Pick<SecureServer, 'address'>, what: string, status?: string): void {
    const words = `listening on ${showAddress(address)}, ${what}`;
    const page = status === undefined ? '' : `; status at ${status}`;
    this.#tell('listening', { ...address, serving: what, status }, `${words}${page}`);
  }

  /** Logs a connection now and when it ends. */
  follow(connection: SecureConnection): void {
    const { id, peer, tls, remote } = connection;
    const from = remote === null ? 'unix' : showAddress(remote);
    const subject = peer?.subject ?? null;
    const since = performance.now();
    this.#tell(
      'open',
      { id, from, subject, version: tls.version, cipher: tls.cipher, resumed: tls.resumed },
      `#${id} open   ${from} ${subject ?? '(no certificate)'} ${tls.version}`,
    );
    void connection.closed.then(({ clean, error }) => {
      const ms = Math.round(performance.now() - since);
      const { messagesReceived: received, messagesSent: sent, bytesReceived, bytesSent } = connection.stats();
      const failure = error === undefined ? undefined : describeFailure(error);
      this.#tell(
        'close',
        {
          id,
          ms,
          received,
          sent,
          bytesReceived,
          bytesSent,
          clean,
          error: failure?.message,
          code: failure?.code,
        },
        `#${id} closed ${amount(received, bytesReceived)} in, ${amount(sent, bytesSent)} out, ${ms.toLocaleString('en')} ms` +
          (failure === undefined ? '' : `: ${failure.message} [${failure.code}]`),
      );
    });
  }

  /** Creates a function that logs warnings about each new set of credentials, each warning once while it lasts. */
  credentialWarnings(): (credentials: Pick<Credentials, 'warnings'>) => void {
    let known: ReadonlySet<string> = new Set();
    return ({ warnings }) => {
      for (const { reason, message, file } of warnings)
        if (!known.has(message)) this.#tell('warning', { reason, message, file }, `warning: ${message}`);
      known = new Set(warnings.map(({ message }) => message));
    };
  }

  /** Credentials that follow their files; what is refused is logged, and the last good one stays. */
  async watch(files: CredentialFiles): Promise<WatchedCredentials> {
    const { watchCredentials } = await import('@knsock/core');
    const watched = await watchCredentials(files);
    const warn = this.credentialWarnings();
    warn(watched.current);
    watched.onChange(() => {
      this.event('credentials', {}, 'new credentials are in force');
    });
    watched.onWarnings((warnings) => {
      warn({ warnings });
    });
    watched.onProblem((problem) => {
      this.reloadFailed(problem);
    });
    return watched;
  }

  failed(from: string, error: unknown, suppressed = 0): void {
    const { message, hint, code } = describeFailure(error, this.#command);
    const more = suppressed > 0 ? ` (and ${suppressed.toLocaleString('en')} more)` : '';
    this.#tell(
      'failure',
      { from, error: message, hint, code, suppressed },
      `${from} failed: ${message} [${code}] ${hint}${more}`,
    );
  }

  /** A SIGHUP is always answered, with what was logged before, too. */
  reloadBegins(): void {
    this.#refused = new WeakSet();
  }

  /** Files weren't taken; logged once, though a reload and a follower may both have the error. */
  reloadFailed(error: unknown): void {
    if (error instanceof Error && this.#refused.has(error)) return;
    if (error instanceof Error) this.#refused.add(error);
    this.failed('reload kept the last good files and', error);
  }

  /** The user's handler failed; the stack trace only with --debug. */
  handlerFailed(id: number, thrown: unknown): void {
    if (thrown instanceof Error) this.#told.add(thrown);
    const error = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    const stack = this.#output.manner.debug && thrown instanceof Error ? thrown.stack : undefined;
    this.#tell('handler-failure', { id, error, stack }, `#${id} handler failed: ${stack ?? error}`);
  }

  /** What core reports to `onError`; a handler's failure was logged where it was called. */
  programFailed(id: number | undefined, error: Error): void {
    if (this.#told.has(error) || this.#told.has(error.cause as Error)) return;
    this.failed(id === undefined ? 'work in the background' : `#${id}`, error);
  }

  event(event: string, fields: Fields, words: string): void {
    this.#tell(event, fields, words);
  }

  #tell(event: string, fields: Fields, words: string): void {
    if (this.#output.manner.json) {
      void this.#output.record({ time: new Date().toISOString(), event, ...fields });
      return;
    }
    const say = (): void => {
      this.#output.say(`${this.#output.colors.dim(new Date().toISOString())} ${words}`);
    };
    if (this.#statusLine === null) say();
    else void this.#statusLine.above(say);
  }
}

function amount(messages: number, bytes: number): string {
  return `${messages.toLocaleString('en')} (${bytes.toLocaleString('en')} bytes)`;
}
