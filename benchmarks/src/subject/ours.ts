/** @knsock/core as its users use it. */
import { readFileSync } from 'node:fs';
import {
  connect,
  createCredentials,
  json,
  knsock,
  lengthPrefixed,
  lines,
  listen,
  raw,
  serve,
  type ConnectOptions,
  type Framing,
  type ListenOptions,
  type SecureConnection,
  type SecureServer,
} from '@knsock/core';
import { SERVER_NAME, type Certificates } from '../certificates.js';
import { dialRepeatedly, type DialOptions } from '../dialer.js';
import { LOOPBACK } from '../tls-setup.js';
import { bulk, type BulkRole } from './bulk.js';
import { open } from './footprint.js';

export type OurFraming = 'raw' | 'lines' | 'length-prefixed' | 'json over length-prefixed' | 'knsock';
export type Receiving = 'onMessage' | 'for await' | 'serve';
/** `lent`: messages are lent to their listener. */
type OurRole = BulkRole | 'receives, lent';
type OurBehaviour = Receiving | 'greet' | 'idle' | OurRole;

export interface OurServerOptions {
  readonly files: Certificates;
  readonly framing: OurFraming;
  readonly behaviour: OurBehaviour;
  readonly clientCertificates?: boolean;
  /** Whether clients are counted by their addresses; default false. */
  readonly limitsAddresses?: boolean;
}

/** Both sides speak what bare node:tls is given here: TLS 1.3, one cipher. */
const PROFILE = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' } as const;
// JSON values are echoed as they come, whatever their type.
const framings: Readonly<Record<OurFraming, () => Framing>> = {
  'json over length-prefixed': () => json(lengthPrefixed()) as unknown as Framing,
  raw,
  lines,
  'length-prefixed': lengthPrefixed,
  knsock,
};

export async function serveOurs(options: OurServerOptions): Promise<number> {
  const server = await start(options);
  return (server.address as { port: number }).port;
}

function start(options: OurServerOptions): Promise<SecureServer> {
  const { files, framing, behaviour, clientCertificates, limitsAddresses } = options;
  const listening: ListenOptions = {
    host: LOOPBACK,
    port: 0,
    framing: framings[framing](),
    profile: PROFILE,
    clientCertificates: clientCertificates === true ? 'require' : 'none',
    credentials: createCredentials({
      cert: readFileSync(files.serverCertificate),
      key: readFileSync(files.serverKey),
      ...(clientCertificates === true && { ca: readFileSync(files.ca) }),
    }),
    // Ten thousand idle connections are a part of the work.
    maxConnections: 50_000,
    ...(limitsAddresses === true && {
      maxConnectionsPerAddress: 1_000,
      maxConnectionsPerNetwork: { limit: 10_000 },
      acceptRate: { perSecond: 100_000, burst: 100_000 },
    }),
  };
  if (behaviour === 'serve') return serve(listening, ({ payload }) => payload);
  return listen(listening, handlers[behaviour]);
}

const handlers: Readonly<
  Record<Exclude<OurBehaviour, 'serve'>, (connection: SecureConnection) => void | Promise<void>>
> = {
  onMessage: (connection) => {
    connection.onMessage((message) => {
      if (connection.write(message)) return;
      connection.pause();
      void connection.ready().then(() => connection.resume(), gone);
    });
  },
  'for await': async (connection) => {
    for await (const message of connection)
      if (!connection.write(message)) await connection.ready().catch(gone);
  },
  greet: (connection) => {
    connection.write('hello');
  },
  idle: ({ socket }) => {
    open.add(socket);
  },
  sends: (connection) => {
    overConnection(connection, 'sends');
  },
  receives: (connection) => {
    overConnection(connection, 'receives');
  },
  'receives, lent': (connection) => {
    overConnection(connection, 'receives, lent');
  },
};

/** A load generator that ends leaves answers unsent. */
function gone(): void {}

function overConnection(connection: SecureConnection, role: OurRole): void {
  const take = bulk(
    {
      write: (payload) => connection.write(payload),
      whenReady: (go) => void connection.ready().then(go, gone),
    },
    role === 'sends' ? 'sends' : 'receives',
  );
  const listener = (message: Buffer): void => {
    take(message.length);
  };
  if (role === 'receives, lent') connection.onMessage(listener, { lend: true });
  else connection.onMessage(listener);
}

export interface OurClientOptions {
  readonly files: Certificates;
  readonly framing: OurFraming;
  readonly port: number;
  readonly behaviour: OurRole;
}

export async function connectOurs(options: OurClientOptions): Promise<void> {
  overConnection(await connect(connectOptions(options)), options.behaviour);
}

export interface OurDialOptions extends DialOptions {
  readonly files: Certificates;
  readonly framing: OurFraming;
  readonly clientCertificates: boolean;
}

export function dialOurs(options: OurDialOptions): Promise<{ operations: number; wallMs: number }> {
  // As a program that connects often does: the same object, which can't change.
  const connecting = Object.freeze({
    ...connectOptions(options),
    profile: Object.freeze(PROFILE),
    resume: options.resume,
  });
  return dialRepeatedly(options.ms, async () => {
    const connection = await connect(connecting);
    await connection.receive();
    connection.destroy();
  });
}

export type Reach = Pick<OurDialOptions, 'files' | 'framing' | 'port'> & {
  readonly clientCertificates?: boolean;
};

export function connectOptions({ files, framing, port, clientCertificates }: Reach): ConnectOptions {
  return {
    host: LOOPBACK,
    port,
    servername: SERVER_NAME,
    framing: framings[framing](),
    profile: PROFILE,
    credentials: createCredentials({
      ca: readFileSync(files.ca),
      ...(clientCertificates === true && {
        cert: readFileSync(files.clientCertificate),
        key: readFileSync(files.clientKey),
      }),
    }),
  };
}
