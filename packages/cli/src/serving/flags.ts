/** The flags of `knsock serve`, as they were parsed. */
import type { ClientCertificates } from '@knsock/core';
import type { AllowFlags, CredentialFlags, FramingFlags, ProfileFlags } from '../options.js';

export interface ServeFlags extends CredentialFlags, FramingFlags, ProfileFlags, AllowFlags {
  host?: string;
  port?: number;
  unix?: string;
  clientCert?: ClientCertificates;
  handshakeTimeout?: number;
  idleTimeout?: number;
  drainTimeout?: number;
  maxConnections?: number;
  content: 'bytes' | 'json';
  exec?: string;
  handler?: string;
  dev?: boolean;
  status?: string;
}
