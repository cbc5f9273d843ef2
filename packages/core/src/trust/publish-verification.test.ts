import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from 'vitest';
import { UntrustedPeerError } from '../errors/index.js';
import { channels } from '../observe/channels.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { CertificateIdentity } from '../transport/peer-identity.js';
import { publishVerification } from './publish-verification.js';

const peer = new CertificateIdentity([makeCertificate({ commonName: 'app' }).certificate]);

describe('the channel of verifications', () => {
  const heard: unknown[] = [];
  const listener = (message: unknown): void => void heard.push(message);
  afterEach(() => {
    unsubscribe(channels.verdict.name, listener);
    heard.length = 0;
  });

  it('reports which peer was admitted or refused, and why', () => {
    subscribe(channels.verdict.name, listener);
    publishVerification('server', { address: '192.0.2.1:4000' }, { ok: true, peer }, true);
    publishVerification('client', { address: 'a.test:4000' }, { ok: true, peer: null }, false);
    const error = new UntrustedPeerError('expired', 0, 'too late');
    publishVerification('client', { address: 'a.test:4000' }, { ok: false, peer, error }, false);
    const common = { role: 'client', address: 'a.test:4000', resumed: false };
    expect(heard).toEqual([
      {
        role: 'server',
        address: '192.0.2.1:4000',
        ok: true,
        reason: null,
        subject: 'CN=app',
        resumed: true,
      },
      { ...common, ok: true, reason: null, subject: null },
      { ...common, ok: false, reason: 'expired', subject: 'CN=app' },
    ]);
  });

  it('costs nothing without subscribers', () => {
    const unread = {
      get ok(): true {
        throw new Error('the result was read');
      },
      peer,
    };
    expect(() => publishVerification('server', { address: 'x' }, unread, false)).not.toThrow();
  });
});
