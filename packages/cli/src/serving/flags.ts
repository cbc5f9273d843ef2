/** The flags of `knsock serve`, as they were parsed. */
import type { AcmeChallengeType, AcmeKeyType } from '@knsock/certs/acme';
import type { ClientCertificates } from '@knsock/core';
import type { AllowFlags, ContentFlags, CredentialFlags, FramingFlags, ProfileFlags } from '../options.js';

export interface ServeFlags
  extends CredentialFlags, AcmeFlags, FramingFlags, ContentFlags, ProfileFlags, AllowFlags, LimitFlags {
  host?: string;
  port?: number;
  unix?: string;
  clientCert?: ClientCertificates;
  exec?: string;
  handler?: string;
  dev?: boolean;
  status?: string;
}

/** A certificate from an ACME server. */
export interface AcmeFlags {
  acme?: string[];
  acmeDir?: string;
  acmeDirectory?: string;
  acmeStaging?: boolean;
  acmeAgree?: boolean;
  acmeEmail?: string;
  acmeEabKid?: string;
  acmeEabKeyFile?: string;
  acmeProfile?: string;
  acmeKeyType?: AcmeKeyType;
  acmeChallenge?: AcmeChallengeType;
  acmeHttpPort?: number;
  acmeCa?: string;
  acmeProxy?: string;
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
