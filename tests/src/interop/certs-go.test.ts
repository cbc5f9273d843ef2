import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createAuthority,
  createCsr,
  createDevelopmentAuthority,
  createSelfSigned,
  type KeyType,
} from '@knsock/certs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { needsTools, toolPath } from './tools.js';

/** Judges `chain.pem` by `ca.pem` for each name of its arguments; `client` as the first asks for that usage. */
const program = `package main

import ("crypto/x509"; "encoding/pem"; "fmt"; "os")

func read(file string) []byte {
	text, _ := os.ReadFile(file)
	block, _ := pem.Decode(text)
	return block.Bytes
}

// Reads a request, a list and a key, and checks what can be checked of them.
func parse() error {
	request, err := x509.ParseCertificateRequest(read("a.csr"))
	if err != nil { return err }
	if err = request.CheckSignature(); err != nil { return err }
	fmt.Println("request", request.DNSNames, request.IPAddresses, request.URIs, request.EmailAddresses)
	ca, err := x509.ParseCertificate(read("ca.pem"))
	if err != nil { return err }
	list, err := x509.ParseRevocationList(read("a.crl"))
	if err != nil { return err }
	if err = list.CheckSignatureFrom(ca); err != nil { return err }
	fmt.Println("list", list.Number, len(list.RevokedCertificates))
	key, err := x509.ParsePKCS8PrivateKey(read("a.key"))
	if err != nil { return err }
	fmt.Printf("key %T", key)
	return nil
}

func main() {
	if os.Args[1] == "parse" {
		if err := parse(); err != nil { fmt.Println(err) }
		return
	}
	roots, pool := x509.NewCertPool(), x509.NewCertPool()
	ca, _ := os.ReadFile("ca.pem")
	roots.AppendCertsFromPEM(ca)
	rest, _ := os.ReadFile("chain.pem")
	var leaf *x509.Certificate
	for block, more := pem.Decode(rest); block != nil; block, more = pem.Decode(more) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil { fmt.Println(err); return }
		if leaf == nil { leaf = certificate } else { pool.AddCert(certificate) }
	}
	usage := x509.ExtKeyUsageServerAuth
	if os.Args[1] == "client" { usage = x509.ExtKeyUsageClientAuth }
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: os.Args[2], Roots: roots, Intermediates: pool, KeyUsages: []x509.ExtKeyUsage{usage}})
	if err != nil { fmt.Println(err) } else { fmt.Println("trusted") }
}
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'knsock-go-'));
  writeFileSync(path.join(folder, 'verify.go'), program);
  const env = { ...process.env, GO111MODULE: 'off', GOFLAGS: '', GOCACHE: path.join(folder, 'cache') };
  if (toolPath('go') !== undefined)
    execFileSync('go', ['build', '-o', 'verify', 'verify.go'], { cwd: folder, env });
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach((context) => needsTools(context, 'go'));

function verify(ca: string, chain: string, name: string, usage: 'server' | 'client' = 'server'): string {
  writeFileSync(path.join(folder, 'ca.pem'), ca);
  writeFileSync(path.join(folder, 'chain.pem'), chain);
  return execFileSync(path.join(folder, 'verify'), [usage, name], { cwd: folder, encoding: 'utf8' }).trim();
}

describe("Go's crypto/x509", () => {
  it.each([
    ['p256', '*ecdsa.PrivateKey'],
    ['p384', '*ecdsa.PrivateKey'],
    ['ed25519', 'ed25519.PrivateKey'],
    ['rsa2048', '*rsa.PrivateKey'],
  ] as const)('reads requests, lists and keys of type %s', async (keyType, goType) => {
    const root = await createAuthority({ commonName: 'Root', keyType });
    const { certificate } = await root.issue({ kind: 'server', names: ['a.test'], keyType });
    await root.revoke(certificate, 'key-compromise');
    const names = ['*.bücher.test', '10.0.0.1', 'spiffe://test/a', 'a@b.test'];
    const { csr, key } = await createCsr({ names, keyType });
    const files = { 'ca.pem': root.root, 'a.csr': csr, 'a.key': key, 'a.crl': (await root.crl()).pem };
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
    expect(
      execFileSync(path.join(folder, 'verify'), ['parse'], { cwd: folder, encoding: 'utf8' }).split('\n'),
    ).toEqual([
      'request [*.xn--bcher-kva.test] [10.0.0.1] [spiffe://test/a] [a@b.test]',
      'list 1 1',
      `key ${goType}`,
    ]);
  });

  it.each(['p256', 'p384', 'ed25519', 'rsa2048'] satisfies KeyType[])(
    'trusts a chain of %s keys',
    async (keyType) => {
      const root = await createAuthority({ commonName: 'Root', keyType });
      const intermediate = await root.intermediate({ commonName: 'Below', keyType });
      const names = ['*.bücher.test', '::1', 'spiffe://test/a', 'a@b.test'];
      const { chain } = await intermediate.issue({ kind: 'peer', names, keyType });
      expect(verify(root.root, chain, 'a.xn--bcher-kva.test')).toBe('trusted');
      expect(verify(root.root, chain, '::1', 'client')).toBe('trusted');
      expect(verify(root.root, chain, 'a.b.xn--bcher-kva.test')).toContain('not a.b.xn--bcher-kva.test');
    },
  );

  it('understands our name constraints, those that exclude everything too', async () => {
    const development = await createDevelopmentAuthority();
    const { chain } = await development.issue({
      kind: 'server',
      names: ['localhost', '127.0.0.1', 'a.internal'],
    });
    expect(verify(development.root, chain, 'localhost')).toBe('trusted');
    const addresses = await createAuthority({
      commonName: 'Root',
      nameConstraints: { permitted: ['10.0.0.0/8'] },
    });
    const byAddress = await addresses.issue({
      kind: 'server',
      names: ['10.1.2.3'],
      commonName: 'an address',
    });
    expect(verify(addresses.root, byAddress.chain, '10.1.2.3')).toBe('trusted');
  });

  it('tells server from client certificates, and trusts a self-signed one as its own root', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const { chain } = await root.issue({ kind: 'client', names: ['a.test'] });
    expect(verify(root.root, chain, 'a.test', 'client')).toBe('trusted');
    expect(verify(root.root, chain, 'a.test', 'server')).toContain('incompatible key usage');
    const own = await createSelfSigned({ names: ['localhost'] });
    expect(verify(own.certificate, own.certificate, 'localhost')).toBe('trusted');
  });
});
