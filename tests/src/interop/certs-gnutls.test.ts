import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createAuthority,
  createCsr,
  createDevelopmentAuthority,
  createSelfSigned,
  fromPkcs12,
  toPkcs12,
  type KeyType,
} from '@knsock/certs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { needsTools } from './tools.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'knsock-gnutls-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach((context) => needsTools(context, 'certtool'));

/** Runs certtool in the folder; what it says, good or bad. */
function certtool(...args: string[]): string {
  const { stdout, stderr } = spawnSync('certtool', args, { cwd: folder, encoding: 'utf8' });
  return stdout + stderr;
}

function write(files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
}

const verify = (...args: string[]) =>
  certtool('--verify', '--infile', 'chain.pem', '--load-ca-certificate', 'ca.pem', ...args);
const trusted = 'Chain verification output: Verified. The certificate is trusted.';

describe('certtool', () => {
  it.each(['p256', 'p384', 'ed25519', 'rsa2048'] satisfies KeyType[])(
    'trusts a chain of %s keys',
    async (keyType) => {
      const root = await createAuthority({ commonName: 'Root', keyType });
      const intermediate = await root.intermediate({
        commonName: 'Below',
        keyType,
        nameConstraints: { permitted: ['test', '10.0.0.0/8'] },
      });
      const { chain } = await intermediate.issue({ kind: 'server', names: ['a.test', '10.0.0.1'], keyType });
      write({ 'ca.pem': root.root, 'chain.pem': chain });
      expect(verify('--verify-hostname', 'a.test', '--verify-purpose', '1.3.6.1.5.5.7.3.1')).toContain(
        trusted,
      );
      expect(verify('--verify-hostname', 'b.test')).not.toContain(trusted);
      expect(verify('--verify-purpose', '1.3.6.1.5.5.7.3.2')).not.toContain(trusted);
    },
  );

  it('wants an authority as root, so a self-signed server certificate is none to it', async () => {
    const { chain } = await createSelfSigned({ names: ['a.test'] });
    write({ 'ca.pem': chain, 'chain.pem': chain });
    expect(verify()).toContain('The certificate issuer is not a CA');
  });

  it('understands the limits of a development authority', async () => {
    const development = await createDevelopmentAuthority();
    const { chain } = await development.issue({ kind: 'server', names: ['a.test', '10.0.0.1'] });
    write({ 'ca.pem': development.root, 'chain.pem': chain });
    expect(verify('--verify-hostname', 'a.test')).toContain(trusted);
  });

  it('opens our PKCS#12 files, and its own are read', async () => {
    const { chain, key, certificate } = await createSelfSigned({ names: ['a.test'], keyType: 'rsa2048' });
    write({ 'ours.p12': await toPkcs12({ chain, key }, 'secret'), 'a.crt': certificate, 'a.key': key });
    const shown = certtool('--p12-info', '--inder', '--infile', 'ours.p12', '--password', 'secret');
    expect(shown).toContain(certificate.trim());
    // With its 600,000 rounds, certtool's old ciphers take too long here; openssl's are read in its own test.
    const files = ['--load-certificate', 'a.crt', '--load-privkey', 'a.key', '--outfile', 'theirs.p12'];
    const locked = ['--pkcs-cipher', 'aes-256', '--p12-name', 'a', '--password', 'secret'];
    certtool('--to-p12', '--outder', ...files, ...locked);
    const parts = await fromPkcs12(readFileSync(path.join(folder, 'theirs.p12')), 'secret');
    expect(parts).toEqual({ certificate, chain, key });
  });

  it('sees a revocation', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const { chain, certificate } = await root.issue({ kind: 'server', names: ['a.test'] });
    const lists = async () => {
      write({ 'ca.pem': root.root, 'chain.pem': chain, 'crl.pem': (await root.crl()).pem });
      return verify('--load-crl', 'crl.pem');
    };
    expect(await lists()).toContain(trusted);
    await root.revoke(certificate, 'superseded');
    expect(await lists()).toContain('revoked');
    expect(certtool('--crl-info', '--infile', 'crl.pem')).toMatch(/CRL Number.*\n.*2|02/);
  });

  it('reads our requests, and its own are signed', async () => {
    write({ 'ours.csr': (await createCsr({ names: ['a.test'], organization: 'Example' })).csr });
    expect(certtool('--crq-info', '--infile', 'ours.csr')).toContain('DNSname: a.test');
    write({ template: 'cn = "a.test"\ndns_name = "a.test"\nip_address = "10.0.0.1"\ntls_www_server\n' });
    certtool('--generate-privkey', '--key-type', 'ecdsa', '--curve', 'secp256r1', '--outfile', 'g.key');
    certtool('--generate-request', '--load-privkey', 'g.key', '--template', 'template', '--outfile', 'g.csr');
    const root = await createAuthority({ commonName: 'Root' });
    const signed = await root.sign(readFileSync(path.join(folder, 'g.csr')), {
      kind: 'server',
      names: ['a.test', '10.0.0.1'],
    });
    write({ 'ca.pem': root.root, 'chain.pem': signed.chain });
    expect(verify('--verify-hostname', 'a.test')).toContain(trusted);
  });
});
