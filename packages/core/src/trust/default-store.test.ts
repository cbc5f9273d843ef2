import { createHash } from 'node:crypto';
import * as tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../testing/made-certificates.js';
import { splitPem } from '../x509/index.js';
import { isDefaultRoot } from './default-store.js';

/** Newer versions of Node report the current contents of the store; older ones the roots that they were built with. */
const store = (): readonly string[] => {
  const newer = Reflect.get(tls, 'getCACertificates') as ((type: 'default') => string[]) | undefined;
  return newer?.('default') ?? tls.rootCertificates;
};

describe("Node's default store", () => {
  it('holds the roots that Node trusts, and no others', () => {
    for (const pem of store()) {
      const der = splitPem(pem)[0]?.der ?? Buffer.alloc(0);
      expect(isDefaultRoot(createHash('sha256').update(der).digest('hex'))).toBe(true);
    }
    const own = makeCertificate({ commonName: 'Own', isAuthority: true });
    expect(isDefaultRoot(own.certificate.fingerprint256)).toBe(false);
  });
});
