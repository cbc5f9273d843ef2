import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect, createServer } from 'node:tls';
import {
  checkExpiry,
  convertKey,
  createAuthority,
  createCsr,
  createDevelopmentAuthority,
  createSelfSigned,
  fromPkcs12,
  inspect,
  openStore,
  toPkcs12,
  type KeyType,
} from '@knsock/certs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { needsTools } from './tools.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'knsock-openssl-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach((context) => needsTools(context, 'openssl'));

/** Runs openssl in the folder; what it says, good or bad. */
function openssl(...args: string[]): string {
  const { stdout, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  return stdout + stderr;
}

function write(files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
}

const verify = (...args: string[]) =>
  openssl('verify', '-x509_strict', '-CAfile', 'ca.pem', ...args, 'leaf.pem');

describe('openssl verify accepts', () => {
  it.each(['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072'] satisfies KeyType[])(
    'a chain of %s keys',
    async (keyType) => {
      const root = await createAuthority({
        commonName: 'Root',
        keyType,
        pathLength: 1,
        organization: 'Ëxample',
        country: 'CH',
      });
      const intermediate = await root.intermediate({ commonName: 'Below', keyType });
      const { certificate, key } = await intermediate.issue({
        kind: 'server',
        names: ['*.bücher.test', '::1'],
        keyType,
      });
      write({
        'ca.pem': root.root,
        'below.pem': intermediate.certificate,
        'leaf.pem': certificate,
        'leaf.key': key,
      });
      for (const name of ['-verify_hostname=a.xn--bcher-kva.test', '-verify_ip=::1']) {
        expect(verify('-untrusted', 'below.pem', '-purpose', 'sslserver', ...name.split('='))).toBe(
          'leaf.pem: OK\n',
        );
      }
      expect(verify('-untrusted', 'below.pem', '-purpose', 'sslclient')).toContain(
        'unsuitable certificate purpose',
      );
      expect(openssl('pkey', '-in', 'leaf.key', '-pubout')).toBe(
        openssl('x509', '-in', 'leaf.pem', '-noout', '-pubkey'),
      );
    },
  );

  it('client and peer certificates for what they are for, and every kind of name', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const names = ['a.test', '10.0.0.1', 'spiffe://test/ns/a', 'a@b.test'];
    const { certificate } = await root.issue({ kind: 'peer', names, crlUrls: ['http://crl.test/root.crl'] });
    write({ 'ca.pem': root.root, 'leaf.pem': certificate });
    for (const purpose of ['sslserver', 'sslclient'])
      expect(verify('-purpose', purpose)).toBe('leaf.pem: OK\n');
    expect(verify('-verify_email', 'a@b.test')).toBe('leaf.pem: OK\n');
    const shown = openssl(
      'x509',
      '-in',
      'leaf.pem',
      '-noout',
      '-ext',
      'subjectAltName,crlDistributionPoints',
    );
    expect(shown).toContain('DNS:a.test, IP Address:10.0.0.1, URI:spiffe://test/ns/a, email:a@b.test');
    expect(shown).toContain('URI:http://crl.test/root.crl');
    const client = await root.issue({ kind: 'client', commonName: 'alice' });
    write({ 'leaf.pem': client.certificate });
    expect(verify('-purpose', 'sslclient')).toBe('leaf.pem: OK\n');
    expect(verify('-purpose', 'sslserver')).toContain('unsuitable certificate purpose');
  });

  it('a chain of ML-DSA keys, from OpenSSL 3.5 on', (context) => {
    const known = openssl('list', '-signature-algorithms');
    if (!/ML-DSA-44/i.test(known))
      context.skip(`${openssl('version').trim()} has no ML-DSA (it came with 3.5)`);
    const fixture = (name: string) => readFileSync(new URL(`../trust/fixtures/${name}`, import.meta.url));
    write({ 'ca.pem': fixture('ml-dsa-root.pem'), 'leaf.pem': fixture('ml-dsa-server.pem') });
    expect(verify('-purpose', 'sslserver', '-verify_hostname', 'localhost')).toContain('leaf.pem: OK');
  });

  it('a self-signed certificate as its own root', async () => {
    const { certificate } = await createSelfSigned({ names: ['localhost'] });
    write({ 'ca.pem': certificate, 'leaf.pem': certificate });
    expect(verify('-purpose', 'sslserver', '-verify_hostname', 'localhost')).toBe('leaf.pem: OK\n');
  });
});

describe('openssl verify refuses', () => {
  it("what an intermediate's name constraints forbid, though its key signed it", async () => {
    const development = await createDevelopmentAuthority({
      permitted: ['corp.test', '10.0.0.0/8', '@corp.test'],
    });
    write({ 'ca.pem': development.root, 'dev.pem': development.certificate, 'dev.key': development.key });
    const sign = (name: string) => {
      write({ ext: `subjectAltName=${name}\nextendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n` });
      openssl(
        'req',
        '-new',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        'x.key',
        '-subj',
        '/CN=x',
        '-out',
        'x.csr',
      );
      openssl(
        'x509',
        '-req',
        '-in',
        'x.csr',
        '-CA',
        'dev.pem',
        '-CAkey',
        'dev.key',
        '-extfile',
        'ext',
        '-days',
        '9',
        '-out',
        'leaf.pem',
      );
      return verify('-untrusted', 'dev.pem');
    };
    for (const name of ['DNS:a.corp.test', 'IP:10.1.2.3', 'email:a@corp.test'])
      expect(sign(name)).toBe('leaf.pem: OK\n');
    for (const name of ['DNS:a.test', 'DNS:xcorp.test', 'IP:11.0.0.1', 'IP:::1', 'email:a@other.test']) {
      expect(sign(name)).toContain('permitted subtree violation');
    }
  });

  it('mailboxes and URIs outside those of a development authority, and takes certificates of addresses alone', async () => {
    const development = await createDevelopmentAuthority();
    write({ 'ca.pem': development.root, 'dev.pem': development.certificate, 'dev.key': development.key });
    const sign = (name: string) => {
      write({ ext: `subjectAltName=${name}\nextendedKeyUsage=clientAuth\nauthorityKeyIdentifier=keyid\n` });
      const key = ['-newkey', 'ed25519', '-nodes', '-keyout', 'x.key'];
      openssl('req', '-new', ...key, '-subj', '/CN=x', '-out', 'x.csr');
      const issuer = ['-CA', 'dev.pem', '-CAkey', 'dev.key', '-extfile', 'ext', '-days', '9'];
      openssl('x509', '-req', '-in', 'x.csr', ...issuer, '-out', 'leaf.pem');
      return verify('-untrusted', 'dev.pem');
    };
    for (const name of ['URI:spiffe://a.test/db', 'URI:spiffe://localhost/db', 'email:a@b.internal'])
      expect(sign(name)).toBe('leaf.pem: OK\n');
    for (const name of ['URI:spiffe://prod.example.com/db', 'email:a@example.com'])
      expect(sign(name)).toContain('permitted subtree violation');
    const addresses = await createAuthority({
      commonName: 'R',
      nameConstraints: { permitted: ['10.0.0.0/8'] },
    });
    const { certificate } = await addresses.issue({ kind: 'server', names: ['10.1.2.3'] });
    write({ 'ca.pem': addresses.root, 'leaf.pem': certificate });
    expect(verify('-verify_ip', '10.1.2.3')).toBe('leaf.pem: OK\n');
  });

  it('what was revoked, and takes the lists of the whole chain', async () => {
    const store = await openStore(path.join(folder, 'store'));
    const development = await store.createDevelopmentAuthority();
    const { certificate, files } = await development.issue({ kind: 'server', names: ['localhost'] });
    const crl = await development.crl();
    const check = () => {
      const lists = ['-CRLfile', 'store/ca/root.crl', '-CRLfile', 'store/ca/development.crl'];
      const chain = ['-untrusted', files?.certFile ?? '', '-CAfile', 'store/ca/root.crt'];
      return openssl('verify', '-x509_strict', '-crl_check_all', ...chain, ...lists, files?.certFile ?? '');
    };
    expect(check()).toContain(': OK');
    await development.revoke(certificate, 'key-compromise');
    await development.crl();
    expect(check()).toContain('certificate revoked');
    const shown = openssl('crl', '-in', 'store/ca/development.crl', '-noout', '-text');
    expect(shown).toMatch(/X509v3 CRL Number: *\n *2/);
    expect(shown).toContain('Key Compromise');
    write({ 'list.der': crl.der });
    expect(
      openssl('crl', '-inform', 'DER', '-in', 'list.der', '-CAfile', 'store/ca/development.crt', '-noout'),
    ).toContain('verify OK');
  });
});

describe('requests', () => {
  it('made here are what openssl says they should be', async () => {
    const { csr } = await createCsr({
      names: ['a.test', '10.0.0.1'],
      organization: 'Example',
      keyType: 'rsa2048',
    });
    write({ 'a.csr': csr });
    const shown = openssl('req', '-in', 'a.csr', '-noout', '-verify', '-text');
    expect(shown).toContain('DNS:a.test, IP Address:10.0.0.1');
    expect(shown).toContain('O = Example, CN = a.test');
  });

  it.each(['rsa:2048', 'ec -pkeyopt ec_paramgen_curve:P-384', 'ed25519'])(
    'made by openssl with %s are signed',
    async (algorithm) => {
      const root = await createAuthority({ commonName: 'Root' });
      openssl(
        'req',
        '-new',
        '-newkey',
        ...algorithm.split(' '),
        '-nodes',
        '-keyout',
        'o.key',
        '-out',
        'o.csr',
        '-subj',
        '/CN=a.test/OU=ops',
        '-addext',
        'subjectAltName=DNS:a.test,IP:::1',
      );
      const signed = await root.sign(readFileSync(path.join(folder, 'o.csr')), {
        kind: 'server',
        names: ['a.test', '::1'],
      });
      expect(signed.dropped).toContain('organizationalUnit');
      write({ 'ca.pem': root.root, 'leaf.pem': signed.certificate });
      expect(verify('-purpose', 'sslserver', '-verify_hostname', 'a.test')).toBe('leaf.pem: OK\n');
      expect(openssl('x509', '-in', 'leaf.pem', '-noout', '-pubkey')).toBe(
        openssl('req', '-in', 'o.csr', '-noout', '-pubkey'),
      );
    },
  );

  it("that ask for an authority's rights are refused", async () => {
    const root = await createAuthority({ commonName: 'Root' });
    openssl(
      'req',
      '-new',
      '-newkey',
      'ed25519',
      '-nodes',
      '-keyout',
      'o.key',
      '-out',
      'o.csr',
      '-subj',
      '/CN=a.test',
      '-addext',
      'basicConstraints=critical,CA:TRUE',
    );
    const refused = root.sign(readFileSync(path.join(folder, 'o.csr')), {
      kind: 'server',
      names: () => true,
      addNames: ['a.test'],
    });
    await expect(refused).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_POLICY' });
  });
});

describe('a live openssl s_server', () => {
  it.each([['-tls1_2', '-Verify', '1'], ['-tls1_3']])('is looked at (%s %s %s)', async (...args) => {
    const root = await createAuthority({ commonName: 'Root' });
    const { chain, key } = await root.issue({ kind: 'server', names: ['localhost'], days: 20 });
    write({ 's.crt': chain, 's.key': key });
    const files = ['-cert', 's.crt', '-key', 's.key', '-accept', '127.0.0.1:0'];
    const server = spawn('openssl', ['s_server', ...files, ...args], { cwd: folder, stdio: 'pipe' });
    try {
      let said = '';
      for await (const text of server.stdout.setEncoding('utf8') as AsyncIterable<string>) {
        said += text;
        if (said.includes('ACCEPT')) break;
      }
      const live = { host: '127.0.0.1', port: Number(/ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)?.[1]) };
      expect((await inspect(live)).items).toMatchObject([{ subject: 'CN=localhost' }]);
      expect(await checkExpiry({ endpoints: [live] })).toMatchObject([{ state: 'due', daysLeft: 19 }]);
    } finally {
      server.kill();
    }
  });
});

describe('keys and PKCS#12 files', () => {
  it('are written here with a passphrase that openssl takes, and read from its DER', async () => {
    const { key } = await createSelfSigned({ names: ['a.test'] });
    write({ 'locked.key': await convertKey(key, { newPassphrase: 'pässwort' }) });
    const der = ['-outform', 'DER', '-passout', 'pass:other', '-out', 'locked.der'];
    openssl('pkcs8', '-topk8', '-in', 'locked.key', '-passin', 'pass:pässwort', '-v2', 'aes256', ...der);
    const again = await convertKey(readFileSync(path.join(folder, 'locked.der')), { passphrase: 'other' });
    expect(again).toBe(key);
  });

  it('of a store with a passphrase open in openssl', async () => {
    const authority = await (
      await openStore(path.join(folder, 'locked'), { passphrase: 'pässwort' })
    ).createAuthority({ commonName: 'Root' });
    expect(openssl('pkey', '-in', 'locked/ca/root.key', '-passin', 'pass:pässwort', '-pubout')).toContain(
      'BEGIN PUBLIC KEY',
    );
    expect(openssl('pkey', '-in', 'locked/ca/root.key', '-passin', 'pass:wrong', '-pubout')).not.toContain(
      'BEGIN PUBLIC KEY',
    );
    expect(authority.key).toContain('ENCRYPTED');
  });

  it.each([
    ['-traditional'],
    ['-aes256', '-passout', 'pass:secret'],
    ['-traditional', '-aes256', '-passout', 'pass:secret'],
  ])('written by openssl with %s %s %s %s are read', async (...args) => {
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'k.pem');
    openssl('pkey', '-in', 'k.pem', ...args, '-out', 'k2.pem');
    const { items } = await inspect({ file: path.join(folder, 'k2.pem') }, { passphrase: 'secret' });
    expect(items).toMatchObject([{ type: 'private-key', key: 'P-256', encrypted: args.includes('-aes256') }]);
  });

  it('made here open in openssl, with the chain', async () => {
    const intermediate = await (
      await createAuthority({ commonName: 'Root' })
    ).intermediate({ commonName: 'Below' });
    const { chain, key } = await intermediate.issue({ kind: 'server', names: ['a.test'] });
    write({ 'a.p12': await toPkcs12({ chain, key, friendlyName: 'server' }, 'secret') });
    const shown = openssl('pkcs12', '-in', 'a.p12', '-passin', 'pass:secret', '-nodes', '-info');
    expect(shown.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(shown).toContain(key);
    expect(openssl('pkcs12', '-in', 'a.p12', '-passin', 'pass:wrong', '-nodes')).toContain(
      'invalid password',
    );
  });

  it.each([
    [],
    ['-legacy'],
    ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-192-CBC', '-macalg', 'sha512'],
    ['-keypbe', 'NONE', '-certpbe', 'NONE'],
    ['-nomac'],
    ['-certpbe', 'PBE-SHA1-RC2-40', '-legacy'],
  ])('made by openssl are read (%s %s %s %s)', async (...args) => {
    const { chain, key, certificate } = await createSelfSigned({ names: ['a.test'], keyType: 'rsa2048' });
    write({ 'o.pem': chain, 'o.key': key });
    openssl(
      'pkcs12',
      '-export',
      ...args,
      '-in',
      'o.pem',
      '-inkey',
      'o.key',
      '-passout',
      'pass:pässwort',
      '-out',
      'o.p12',
    );
    expect(await fromPkcs12(readFileSync(path.join(folder, 'o.p12')), 'pässwort')).toEqual({
      key,
      chain,
      certificate,
    });
  });
});

describe("Node's TLS", () => {
  it('takes chain, key, root and lists as they come, on both sides', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const intermediate = await root.intermediate({ commonName: 'Below' });
    const server = await intermediate.issue({ kind: 'server', names: ['localhost'] });
    const client = await intermediate.issue({ kind: 'client', commonName: 'alice' });
    const connects = async () => {
      const crl = [(await root.crl()).pem, (await intermediate.crl()).pem];
      const listener = createServer({
        cert: server.chain,
        key: server.key,
        ca: root.root,
        crl,
        requestCert: true,
        rejectUnauthorized: true,
      });
      listener.on('secureConnection', (socket) => socket.end(socket.authorized ? 'welcome' : 'refused'));
      listener.on('tlsClientError', () => undefined);
      listener.listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const { port } = listener.address() as AddressInfo;
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca: root.root,
        cert: client.chain,
        key: client.key,
      });
      const heard = await socket
        .setEncoding('utf8')
        .toArray()
        .catch(() => []);
      listener.close();
      return heard.join('');
    };
    expect(await connects()).toBe('welcome');
    await intermediate.revoke(client.certificate);
    expect(await connects()).toBe('');
  });
});
