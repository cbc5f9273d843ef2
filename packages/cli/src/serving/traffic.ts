/** Traffic of all connections of a server, including ended ones. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { KnsockEvents, SecureConnection } from '@knsock/core';

interface Totals {
  readonly messages: { readonly in: number; readonly out: number };
  readonly bytes: { readonly in: number; readonly out: number };
  readonly requests: { readonly answered: number; readonly failed: number };
}

type Followed = Pick<SecureConnection, 'stats' | 'closed'>;

export class Traffic {
  readonly #open = new Set<Followed>();
  readonly #ended = { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0 };
  readonly #requests = { answered: 0, failed: 0 };
  readonly #request = (message: unknown): void => {
    const { direction, ok } = message as KnsockEvents['knsock:request'];
    if (direction === 'in') this.#requests[ok ? 'answered' : 'failed'] += 1;
  };

  /** Counts requests too, until the function returned is called. */
  countRequests(): () => void {
    subscribe('knsock:request', this.#request);
    return () => {
      unsubscribe('knsock:request', this.#request);
    };
  }

  follow(connection: Followed): void {
    this.#open.add(connection);
    void connection.closed.then(() => {
      this.#open.delete(connection);
      add(this.#ended, connection);
    });
  }

  totals(): Totals {
    const sum = { ...this.#ended };
    for (const connection of this.#open) add(sum, connection);
    return {
      messages: { in: sum.messagesReceived, out: sum.messagesSent },
      bytes: { in: sum.bytesReceived, out: sum.bytesSent },
      requests: { ...this.#requests },
    };
  }
}

type Sum = Record<'messagesReceived' | 'messagesSent' | 'bytesReceived' | 'bytesSent', number>;

function add(sum: Sum, connection: Followed): void {
  const stats = connection.stats();
  for (const name of Object.keys(sum) as (keyof Sum)[]) sum[name] += stats[name];
}
