/** The flags of `knsock serve`, as they were parsed. */
import type { ClientCertificates } from '@knsock/core';
import type { AllowFlags, ContentFlags, CredentialFlags, FramingFlags, ProfileFlags } from '../options.js';

export interface ServeFlags
  extends CredentialFlags, FramingFlags, ContentFlags, ProfileFlags, AllowFlags, LimitFlags {
  host?: string;
  port?: number;
  unix?: string;
  clientCert?: ClientCertificates;
  exec?: string;
  handler?: string;
  dev?: boolean;
  status?: string;
}

/** Of `addListenerOptions`. */
export interface ListenerFlags {
  handshakeTimeout?: number;
  idleTimeout?: number;
  maxLifetime?: number;
  drainTimeout?: number;
  maxConnections?: number;
  maxConnectionsPerAddress?: number;
  acceptRate?: number;
  allowFrom?: string[];
  denyFrom?: string[];
  proxyProtocolFrom?: string[];
}

interface LimitFlags extends ListenerFlags {
  firstMessageTimeout?: number;
  maxQueued?: number;
  maxRequests?: number;
}
