/** Connections over memory for our own unit tests: two that talk to each other, or one whose peer is written by hand. */
import { PassThrough } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { Connection } from '../connection/connection.js';
import type { RequestHandler, SecureConnection } from '../connection/connection-types.js';
import { FailureReporter } from '../errors/failure-reporter.js';
import type { Framing, Payload } from '../framing/index.js';
import { knsock } from '../framing/index.js';
import { encodeWelcome, FrameDecoder, Kind } from '../framing/knsock/index.js';
import { parseLimits, type LimitOptions } from '../policy/limits.js';
import { memoryPair, type MemoryStream } from '../transport/memory-pair.js';
import { MemoryOutput } from './memory-output.js';

/** What one side is; everything has a default. */
export interface SideOptions {
  readonly role?: 'client' | 'server';
  readonly framing?: Framing;
  readonly limits?: LimitOptions;
  readonly maxLifetime?: number;
  readonly requestHandler?: RequestHandler<Buffer, Payload>;
  readonly explainEnd?: (error?: Error) => Error | null;
}

/** A connection, its stream, and what its `onError` received. */
export interface Side {
  readonly connection: Connection<Buffer, Payload>;
  readonly stream: MemoryStream;
  readonly errors: Error[];
}

/** A connection that isn't open yet. */
export function sideOver(stream: MemoryStream, options: SideOptions = {}): Side {
  const { role = 'server', framing = knsock() } = options;
  const errors: Error[] = [];
  const connection = new Connection<Buffer, Payload>(stream, {
    role,
    framing,
    limits: parseLimits(options.limits ?? {}),
    maxLifetime: options.maxLifetime ?? null,
    requestHandler: options.requestHandler ?? null,
    explainEnd: options.explainEnd ?? null,
    failures: new FailureReporter((error: Error) => void errors.push(error)),
    peer: null,
    tls: {
      version: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      group: null,
      resumed: false,
      alpn: null,
      servername: null,
    },
    socket: new PassThrough() as unknown as TLSSocket,
    remote: { address: '192.0.2.1', port: 4000 },
    proxy: null,
  });
  return { connection, stream, errors };
}

/** What a pair is made of; `framing` is for both. */
export interface PairOptions {
  readonly framing?: Framing;
  readonly client?: SideOptions;
  readonly server?: SideOptions;
  /** The server's handler. */
  readonly handler?: (connection: SecureConnection) => unknown;
}

/** Two connections that talk to each other, both open and handed out. */
export async function connectedPair(options: PairOptions = {}): Promise<{ client: Side; server: Side }> {
  const { framing, handler = () => undefined } = options;
  const [near, far] = memoryPair();
  const common = framing === undefined ? {} : { framing };
  const client = sideOver(near, { ...common, ...options.client, role: 'client' });
  const server = sideOver(far, { ...common, ...options.server, role: 'server' });
  await Promise.all([client.connection.open(), server.connection.open()]);
  server.connection.handleBy(handler);
  await turn();
  return { client, server };
}

/** A frame of knsock/1 as the hand-made peer heard it. */
export interface HeardFrame {
  readonly kind: number;
  readonly id: number;
  readonly body: string;
}

/** The other end of a stream, written by hand: says what it likes, and keeps what it hears. */
export class HandMadePeer {
  readonly stream: MemoryStream;
  readonly heard: Buffer[] = [];
  readonly frames: HeardFrame[] = [];
  /** Whether it ends its own direction once the connection has ended. */
  endsInTurn = true;
  /** Whether the connection ended its direction, and whether the stream is gone. */
  ended = false;
  gone = false;

  constructor(stream: MemoryStream, isFramed = true) {
    this.stream = stream;
    const decoder = new FrameDecoder({ maxMessageBytes: 2 ** 24 });
    const sink = {
      frame: (kind: number, id: number, body: Buffer) => {
        this.frames.push({ kind, id, body: body.toString('latin1') });
      },
    };
    stream.open({
      data: (chunk) => {
        this.heard.push(Buffer.from(chunk));
        if (isFramed) decoder.push(chunk, sink);
      },
      end: () => {
        this.ended = true;
        if (this.endsInTurn) stream.end();
      },
      drain: () => undefined,
      gone: () => (this.gone = true),
    });
  }

  /** Everything heard, as text. */
  get text(): string {
    return Buffer.concat(this.heard).toString('latin1');
  }

  /** Says frames of knsock/1. */
  say(encode: (out: MemoryOutput) => void): void {
    const out = new MemoryOutput();
    encode(out);
    this.stream.write(out.bytes());
  }

  welcome(changes: { maxMessage?: number; maxInFlight?: number; features?: Map<string, Buffer> } = {}): void {
    this.say((out) => {
      encodeWelcome(out, { maxMessage: 1_048_576, maxInFlight: 128, ...changes });
    });
  }

  /** The frames of one kind. */
  of(kind: keyof typeof Kind): readonly HeardFrame[] {
    return this.frames.filter((frame) => frame.kind === Kind[kind]);
  }
}

/** A connection whose peer is written by hand; on knsock/1 it has been welcomed, unless `unwelcomed`. */
export async function handMadePair(
  options: SideOptions & { unwelcomed?: boolean; welcome?: Parameters<HandMadePeer['welcome']>[0] } = {},
): Promise<Side & { peer: HandMadePeer; opening: Promise<void> }> {
  const [near, far] = memoryPair();
  const isFramed = options.framing === undefined;
  const side = sideOver(near, options);
  const peer = new HandMadePeer(far, isFramed);
  const opening = side.connection.open() ?? Promise.resolve();
  opening.catch(() => undefined);
  if (isFramed && options.unwelcomed !== true) peer.welcome(options.welcome);
  if (options.unwelcomed !== true) await opening;
  return { ...side, peer, opening };
}

/** The event loop goes round, as often as it takes for what was sent to arrive and be answered. */
export async function turn(times = 6): Promise<void> {
  for (let time = 0; time < times; time += 1) await new Promise((resolve) => setImmediate(resolve));
}
