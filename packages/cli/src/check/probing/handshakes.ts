/**
 * What only complete handshakes show: the chain, renegotiation, resumption, and which clients are accepted. Nothing
 * here is secret or trusted: the settings are as weak as the probe needs.
 */
import { constants } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { nameFor } from './ask.js';
import type { Endpoint } from './endpoint.js';

type Settings = Pick<
  ConnectionOptions,
  'minVersion' | 'maxVersion' | 'ciphers' | 'session' | 'secureOptions' | 'cert' | 'key'
>;

/** Its reaction to bytes that aren't TLS. */
export type PlainTextManners = 'closes' | 'answers' | 'hangs';

/** How sessions are resumed. */
export interface Resumption {
  readonly tickets: boolean;
  /** By session ids that the server remembers, TLS 1.2 and before. */
  readonly ids: boolean;
}

/** Security level 0: above it OpenSSL doesn't even offer weak algorithms. */
const ANYTHING = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';
const ANY_VERSION = { minVersion: 'TLSv1', ciphers: ANYTHING } as const;
const UP_TO_12 = { minVersion: 'TLSv1', maxVersion: 'TLSv1.2', ciphers: ANYTHING } as const;

/** Its certificates, the leaf first; empty if no handshake succeeds. */
export function chainOf(endpoint: Endpoint): Promise<readonly Buffer[]> {
  return withSocket<readonly Buffer[]>(endpoint, ANY_VERSION, [], (socket, settle) => {
    settle(presented(socket));
  });
}

/** Whether it accepts client-initiated renegotiation. */
export function renegotiates(endpoint: Endpoint): Promise<boolean> {
  return withSocket(endpoint, UP_TO_12, false, (socket, settle) => {
    socket.renegotiate({ rejectUnauthorized: false }, (error) => {
      settle(error === null);
    });
  });
}

export async function resumption(endpoint: Endpoint): Promise<Resumption> {
  const noTickets = { ...UP_TO_12, secureOptions: constants.SSL_OP_NO_TICKET };
  return { tickets: await resumes(endpoint, ANY_VERSION), ids: await resumes(endpoint, noTickets) };
}

async function resumes(endpoint: Endpoint, settings: Settings): Promise<boolean> {
  const session = await withSocket<Buffer | null>(endpoint, settings, null, (socket, settle) => {
    socket.once('session', settle);
    // Under TLS 1.3 tickets come after the handshake, and often with the first bytes only.
    socket.once('end', () => {
      settle(null);
    });
    socket.write('\n');
  });
  if (session === null) return false;
  return withSocket(endpoint, { ...settings, session }, false, (socket, settle) => {
    settle(socket.isSessionReused());
  });
}

/** A refusal comes after the handshake: a client still connected a moment later was accepted. */
export function admits(endpoint: Endpoint, identity: Pick<Settings, 'cert' | 'key'> = {}): Promise<boolean> {
  return withSocket(endpoint, { ...ANY_VERSION, ...identity }, false, (socket, settle) => {
    const refused = (): void => {
      settle(false);
    };
    socket.once('end', refused).once('error', refused).resume();
    setTimeout(settle, MOMENT, true).unref();
  });
}
const MOMENT = 500;

/** Its reaction to a plain HTTP request. */
export function plainTextManners({ host, port, timeout }: Endpoint): Promise<PlainTextManners> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port });
    const settle = (what: PlainTextManners): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(what);
    };
    const timer = setTimeout(settle, timeout, 'hangs');
    // An alert is a TLS record (type 21), which is the right answer.
    socket.on('data', (bytes: Buffer) => {
      if (bytes[0] !== 0x15) settle('answers');
    });
    socket
      .on('error', () => undefined)
      .on('close', () => {
        settle('closes');
      });
    socket.on('end', () => {
      settle('closes');
    });
    socket.write('GET / HTTP/1.0\r\n\r\n');
  });
}

/** Runs `ask` on a secured socket; resolves with `failed` if the handshake fails or times out. */
function withSocket<Result>(
  endpoint: Endpoint,
  settings: Settings,
  failed: Result,
  ask: (socket: TLSSocket, settle: (result: Result) => void) => void,
): Promise<Result> {
  const { host, port, timeout } = endpoint;
  return new Promise((resolve) => {
    let socket: TLSSocket | undefined;
    const settle = (result: Result): void => {
      clearTimeout(timer);
      socket?.destroy();
      resolve(result);
    };
    const timer = setTimeout(settle, timeout, failed);
    const name = nameFor(endpoint);
    try {
      const secureOptions = constants.SSL_OP_LEGACY_SERVER_CONNECT | (settings.secureOptions ?? 0);
      const loose = {
        rejectUnauthorized: false,
        secureOptions,
        ...(name !== undefined && { servername: name }),
      };
      socket = connectTls({ host, port, ...settings, ...loose });
    } catch {
      // This OpenSSL can't offer it.
      settle(failed);
      return;
    }
    const secured = socket;
    secured.on('error', () => {
      settle(failed);
    });
    secured.once('close', () => {
      settle(failed);
    });
    secured.once('secureConnect', () => {
      ask(secured, settle);
    });
  });
}

function presented(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let certificate = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && !chain.some((der) => der.equals(certificate.raw))) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
