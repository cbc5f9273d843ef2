/** The parts of a connection that its end reads and acts on. */
import type { Limits } from '../policy/limits.js';
import type { ByteStream } from '../transport/byte-stream.js';
import type { Activity } from './activity.js';
import type { CallFailures } from './call-failures.js';
import type { Protocol } from './protocol.js';
import type { RawBytes } from './raw-stream.js';
import type { ReadingGate } from './reading-gate.js';
import type { ReceiveQueue } from './receive-queue.js';
import type { SendQueue } from './send-queue.js';
import type { Writer } from './writer.js';

/** What the end reads and acts on, and what it reports. */
export interface EndingParts extends Pick<CallFailures, 'named'> {
  readonly role: 'client' | 'server';
  readonly framing: { readonly name: string; readonly alpn?: string | undefined };
  readonly limits: Limits;
  readonly stream: ByteStream;
  readonly writer: Writer;
  readonly protocol: Omit<Protocol<never, never>, 'handle' | 'request'>;
  readonly sendQueue: SendQueue;
  readonly receiveQueue: Pick<
    ReceiveQueue<never>,
    'consumed' | 'paused' | 'length' | 'pulled' | 'isParked' | 'endTold' | 'end'
  >;
  readonly reading: ReadingGate;
  readonly activity: Activity;
  readonly raw: RawBytes | null;
  readonly unsent: number;
  readonly bytesTaken: number;
  /** Both sides may send. */
  isOpen(): void;
  /** The socket is gone, and everything that waited has been settled. */
  isOver(): void;
  /** The program's code failed, and no caller waits for it. */
  report(error: Error, request: null, what: string): void;
}
