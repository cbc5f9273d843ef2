/** What a shape of program is given, and what it says of itself. */
import type { SecureConnection } from '@knsock/core';

export type AnyConnection = SecureConnection<unknown, unknown>;

/** What a shape may use. */
export interface Stage {
  /** It has come to where it waits or works; the peer ends then. */
  readonly arrived: () => void;
  /** Notes a promise that the library handed out: it must settle. */
  readonly track: <T>(name: string, promise: Promise<T>) => Promise<T>;
  /** Work of some milliseconds. */
  readonly work: () => Promise<void>;
}

export interface Shape {
  readonly run: (connection: AnyConnection, stage: Stage) => unknown;
  /** What the peer sends first; default one message. */
  readonly sends?: 'nothing' | 'two messages' | 'a request';
  /** The framings and roles that it is meant for; default all. */
  readonly only?: (framing: string, role: string) => boolean;
}
