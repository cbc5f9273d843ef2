/**
 * Events on `node:diagnostics_channel`. A channel without subscribers costs nothing.
 * `docs/operations.md` lists the payloads for users.
 */
import { channel } from 'node:diagnostics_channel';
import type { Explanation, PeerReason } from '../errors/index.js';

/** A handshake that ended, on either side. */
interface HandshakeEvent {
  readonly role: 'client' | 'server';
  readonly address: string;
  readonly ms: number;
  readonly version: string;
  readonly cipher: string;
  readonly resumed: boolean;
}

/** A failed handshake or verification on a server; at most a few per second, with the number left out. */
interface FailureEvent {
  readonly address: string;
  readonly error: Error;
  /** The same, explained. */
  readonly explanation: Explanation;
  /** Failures since the last event that were not published. */
  readonly suppressed: number;
}

/** The result of verifying a peer, on either side; for live peers verified again, only if that ends them. */
interface VerdictEvent {
  /** The side that verified. */
  readonly role: 'client' | 'server';
  /** The peer's address. */
  readonly address: string;
  readonly ok: boolean;
  readonly reason: PeerReason | null;
  readonly subject: string | null;
  readonly resumed: boolean;
}

/** A peer refused before its handshake. */
interface AdmissionEvent {
  readonly address: string;
  readonly limit: string;
}

/** New credentials or rules came into use, or were refused. */
interface RotationEvent {
  /** Who took or refused them: the watcher of the files, a server, or a client's live connection. */
  readonly by: 'files' | 'server' | 'client';
  readonly ok: boolean;
  readonly version: string;
  readonly error: Error | null;
}

/** An ACME server was answered (tls-alpn-01). */
interface ValidationEvent {
  readonly address: string;
  /** The name that it validated. */
  readonly servername: string;
}

interface DrainEvent {
  readonly connections: number;
  readonly deadline: number;
}

interface MessageEvent {
  readonly connection: number;
  readonly direction: 'in' | 'out';
  readonly bytes: number;
}

interface RequestEvent {
  readonly connection: number;
  /** Ours (out), or the peer's. */
  readonly direction: 'in' | 'out';
  readonly ok: boolean;
  readonly ms: number;
  /** The error of the request or of its handler, which isn't sent to the peer; null if ok. */
  readonly error: unknown;
}

/** Secrets that decrypt a connection, in the form that Wireshark reads. */
interface KeylogEvent {
  readonly role: 'client' | 'server';
  /** One line of an NSS key log, its end included. */
  readonly line: Buffer;
}

export const channels = {
  handshake: channel('knsock:handshake'),
  failure: channel('knsock:failure'),
  verdict: channel('knsock:verdict'),
  admission: channel('knsock:admission'),
  rotation: channel('knsock:rotation'),
  validation: channel('knsock:validation'),
  drain: channel('knsock:drain'),
  message: channel('knsock:message'),
  request: channel('knsock:request'),
  keylog: channel('knsock:keylog'),
} as const;

/** The payloads, by channel: the type of an event that `subscribe` delivers. */
export interface KnsockEvents {
  /** A handshake ended, on either side. */
  'knsock:handshake': HandshakeEvent;
  /** A handshake or verification failed on a server. */
  'knsock:failure': FailureEvent;
  /** A peer was verified, with the result. */
  'knsock:verdict': VerdictEvent;
  /** A peer was refused before its handshake. */
  'knsock:admission': AdmissionEvent;
  /** New credentials or rules came into use, or were refused. */
  'knsock:rotation': RotationEvent;
  /** A server answered an ACME server's validation of a name. */
  'knsock:validation': ValidationEvent;
  /** A server or connection began to drain. */
  'knsock:drain': DrainEvent;
  /** A message was received or sent. */
  'knsock:message': MessageEvent;
  /** A request was answered, or failed. */
  'knsock:request': RequestEvent;
  /** The secrets of a connection, for Wireshark; only with a subscriber. */
  'knsock:keylog': KeylogEvent;
}
