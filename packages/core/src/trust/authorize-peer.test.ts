import { describe, expect, it } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { CertificateIdentity } from '../transport/peer-identity.js';
import { authorizePeer } from './authorize-peer.js';
import { parseTrust, type AuthorizeFunction, type TrustOptions } from './trust-policy.js';

const side = {
  credentials: createCredentials({}),
  usage: 'client',
  required: false,
  name: null,
  verify: 'chain',
} as const;
const policy = (options: TrustOptions) => parseTrust(options, side);
const { signal } = new AbortController();
const asked = (authorize: unknown) =>
  authorizePeer(policy({ authorize: authorize as AuthorizeFunction }), null, signal);

describe('authorizePeer', () => {
  it('admits every peer where there are no rules', () => {
    expect(authorizePeer(policy({}), null, signal)).toBeNull();
  });

  it('refuses a peer without a certificate where rules are about certificates', () => {
    expect(authorizePeer(policy({ authorize: { commonNames: ['app'] } }), null, signal)).toMatchObject({
      code: 'KNSOCK_PEER_NOT_ALLOWED',
      message: "a peer without a certificate isn't admitted: authorize requires a certificate",
    });
  });

  it('admits peers that match the rules, and reports of others what they lack and their subject', () => {
    const named = new CertificateIdentity([makeCertificate({ commonName: 'app' }).certificate]);
    expect(authorizePeer(policy({ authorize: { commonNames: ['app'] } }), named, signal)).toBeNull();
    const refused = authorizePeer(policy({ authorize: { commonNames: ['web'] } }), named, signal);
    expect(refused).toMatchObject({ certificate: { fingerprint256: named.fingerprint256 } });
    expect((refused as Error).message).toMatch(/^CN=app isn't admitted: authorize requires /);
  });

  it('carries no certificate in the error of a peer without one', async () => {
    const refused = await asked(() => false);
    expect(refused?.certificate ?? null).toBeNull();
  });

  it.each([true, Promise.resolve(true)])('admits by true: %s', async (answer) => {
    expect(await asked(() => answer)).toBeNull();
  });

  it.each([false, 1, 'yes', {}, undefined, null, Promise.resolve(1), Promise.resolve(undefined)])(
    'refuses by anything else: %s',
    async (answer) => {
      expect(await asked(() => answer)).toMatchObject({
        message: expect.stringContaining('refused it') as string,
      });
    },
  );

  it('refuses where the function throws or rejects, and keeps the cause', async () => {
    const cause = new Error('broken');
    const failed = { code: 'KNSOCK_PEER_NOT_ALLOWED', cause };
    expect(
      asked(() => {
        throw cause;
      }),
    ).toMatchObject(failed);
    expect(await asked(() => Promise.reject(cause))).toMatchObject(failed);
  });

  it('passes the function a signal that fires at the deadline', () => {
    let given: AbortSignal | undefined;
    const authorize: AuthorizeFunction = (_peer, context) => {
      given = context.signal;
      return true;
    };
    void asked(authorize);
    expect(given).toBe(signal);
  });
});

describe('parseTrust', () => {
  const pin = `sha256/${'A'.repeat(43)}=`;

  it('accepts pins', () => {
    expect([...(policy({ pins: [pin] }).pins ?? [])]).toEqual([pin]);
    expect(policy({}).pins).toBeNull();
  });

  it.each([[[]], [['sha256/short=']], [[pin, `sha1/${'A'.repeat(43)}=`]], [[`${pin}\n`]], [pin]])(
    'refuses invalid pins: %j',
    (pins) => {
      expect(() => policy({ pins: pins as string[] })).toThrow(
        expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option: 'pins' }) as Error,
      );
    },
  );

  it('changes its digest with rules, pins and partialChain', () => {
    const digests = [
      {},
      { pins: [pin] },
      { partialChain: true },
      { authorize: { commonNames: ['a'] } },
      { authorize: { commonNames: ['b'] } },
      { authorize: () => true },
    ].map((options) => policy(options).digest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('accepts a revocation source that has the required members', () => {
    const source = {
      version: '1',
      onChange: () => () => undefined,
      check: () => ({ status: 'good', position: 1 }),
    };
    expect(policy({ revocation: source as never }).revocation).toBe(source);
    for (const wrong of [{}, { check: () => undefined }, { onChange: () => undefined }])
      expect(() => policy({ revocation: wrong as never })).toThrow(/revocation/);
  });

  it('keeps the settings of the side unchanged', () => {
    expect(policy({})).toMatchObject({ ...side, rules: null, authorize: null, partialChain: false });
    expect(policy({ partialChain: true }).partialChain).toBe(true);
  });

  it('reads no list where there is none', () => {
    expect(policy({}).revocation).toBeNull();
  });
});
