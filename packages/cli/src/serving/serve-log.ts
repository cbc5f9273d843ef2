/** What a running server tells: lines for people on standard error, or events as JSON on standard output. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { SecureConnection, SecureServer } from '@knsock/core';
import { showAddress } from '../address.js';
import { describeFailure } from '../failure.js';
import type { Output } from '../output.js';

type Fields = Readonly<Record<string, unknown>>;

export class ServeLog {
  readonly #output: Output;
  readonly #failed = (message: unknown): void => {
    const { address, error, suppressed } = message as { address: string; error: unknown; suppressed: number };
    this.failed(address, error, suppressed);
  };

  constructor(output: Output) {
    this.#output = output;
  }

  /** Tells of peers that were turned away, until the function returned is called. */
  watchFailures(): () => void {
    subscribe('knsock:failure', this.#failed);
    return () => unsubscribe('knsock:failure', this.#failed);
  }

  listening({ address }: SecureServer, what: string): void {
    this.#tell('listening', { ...address, serving: what }, `listening on ${showAddress(address)}, ${what}`);
  }

  /** Tells of a connection now and when it ends. */
  follow(connection: SecureConnection): void {
    const { id, peer, tls, socket } = connection;
    const from =
      socket.remoteAddress === undefined ? 'unix' : `${socket.remoteAddress}:${socket.remotePort ?? 0}`;
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
          error: failure?.what,
          code: failure?.code,
        },
        `#${id} closed ${received} in, ${sent} out, ${ms.toLocaleString('en')} ms` +
          (failure === undefined ? '' : `: ${failure.what} [${failure.code}]`),
      );
    });
  }

  failed(from: string, error: unknown, suppressed = 0): void {
    const { what, hint, code } = describeFailure(error);
    const more = suppressed > 0 ? ` (and ${suppressed.toLocaleString('en')} more)` : '';
    this.#tell(
      'failure',
      { from, error: what, hint, code, suppressed },
      `${from} failed: ${what} [${code}] ${hint}${more}`,
    );
  }

  event(event: string, fields: Fields, words: string): void {
    this.#tell(event, fields, words);
  }

  #tell(event: string, fields: Fields, words: string): void {
    if (this.#output.manner.json)
      void this.#output.record({ time: new Date().toISOString(), event, ...fields });
    else this.#output.say(`${this.#output.colors.dim(new Date().toISOString())} ${words}`);
  }
}
