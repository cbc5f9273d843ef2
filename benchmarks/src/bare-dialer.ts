/** What a careful program does by hand: node:tls with one SecureContext, and its last session to resume. */
import tls from 'node:tls';
import type { Certificates } from './certificates.js';
import { dialRepeatedly, type DialOptions } from './dialer.js';
import { clientContext, clientOptions } from './tls-setup.js';

export interface BareDialOptions extends DialOptions {
  readonly files: Certificates;
  readonly clientCertificates: boolean;
  /** Whether the PEM files are parsed anew for each connection, as most programs do. */
  readonly parseEachTime: boolean;
}

export function dialBare(options: BareDialOptions): Promise<{ operations: number; wallMs: number }> {
  const { files, clientCertificates, resume, parseEachTime } = options;
  const pem = clientContext(files, clientCertificates);
  const context = parseEachTime ? pem : { secureContext: tls.createSecureContext(pem) };
  const sessions: Buffer[] = [];
  return dialRepeatedly(options.ms, () => {
    const session = resume ? sessions.pop() : undefined;
    return talkOnce({ ...clientOptions(options.port), ...context, session }, resume ? sessions : null);
  });
}

function talkOnce(options: tls.ConnectionOptions, sessions: Buffer[] | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect(options);
    if (sessions !== null) {
      socket.on('session', (session) => {
        if (sessions.length < 16) sessions.push(session);
      });
    }
    socket.on('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
  });
}
