import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What `openssl genpkey` receives for each kind of key. */
export const keyKinds = {
  'RSA 2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'RSA-PSS 2048': [
    '-algorithm',
    'RSA-PSS',
    '-pkeyopt',
    'rsa_keygen_bits:2048',
    '-pkeyopt',
    'rsa_pss_keygen_md:sha256',
    '-pkeyopt',
    'rsa_pss_keygen_mgf1_md:sha256',
  ],
  'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'P-521': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  Ed25519: ['-algorithm', 'ED25519'],
  Ed448: ['-algorithm', 'ED448'],
} as const;

export type KeyKind = keyof typeof keyKinds;

/** The extensions of a proper CA, server and client, as openssl's configuration spells them. */
export const profiles = {
  ca: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash',
  server:
    'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:a.test',
  client: 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth',
};

/** A folder in which the openssl command makes certificates and CRLs, and judges them. */
export class OpensslFolder implements Disposable {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'knsock-openssl-'));
  readonly #keys = new Map<string, KeyKind>();

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  run(...args: readonly string[]): string {
    return execFileSync('openssl', args, {
      cwd: this.#folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  write(file: string, text: string): void {
    writeFileSync(path.join(this.#folder, file), text);
  }

  read(file: string): string {
    return readFileSync(path.join(this.#folder, file), 'utf8');
  }

  /** Makes `<name>.key`, once. */
  key(name: string, kind: KeyKind = 'P-256'): void {
    if (this.#keys.get(name) === kind) return;
    this.#keys.set(name, kind);
    this.run('genpkey', ...keyKinds[kind], '-out', `${name}.key`);
  }

  /** Makes `<name>.pem`, signed by itself; `extensions` in the language of openssl's configuration. */
  root(
    name: string,
    { kind = 'P-256', extensions = profiles.ca, subject = `/CN=${name}`, signing = [] }: RootWish = {},
  ): void {
    this.key(name, kind);
    this.write(
      `${name}.cnf`,
      `[req]\ndistinguished_name=dn\nx509_extensions=v3\n[dn]\n[v3]\n${extensions}\n`,
    );
    this.run(
      'req',
      '-new',
      '-x509',
      '-days',
      '30',
      '-key',
      `${name}.key`,
      '-subj',
      subject,
      '-config',
      `${name}.cnf`,
      '-out',
      `${name}.pem`,
      ...signing,
    );
  }

  /** Makes `<name>.pem`, signed by `issuer`; without extensions as bare recipes do. */
  issue(
    name: string,
    issuer: string,
    { kind = 'P-256', extensions, subject = `/CN=${name}`, signing = [] }: RootWish = {},
  ): void {
    this.key(name, kind);
    this.run('req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
    if (extensions !== undefined) this.write(`${name}.ext`, extensions);
    const extfile = extensions === undefined ? [] : ['-extfile', `${name}.ext`];
    const from = ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
    this.run(
      'x509',
      '-req',
      '-days',
      '20',
      '-in',
      `${name}.csr`,
      ...from,
      ...extfile,
      '-out',
      `${name}.pem`,
      ...signing,
    );
  }

  /** Makes `<file>` with `openssl ca -gencrl`, with the certificates of these names revoked. */
  crl(file: string, issuer: string, revoked: readonly string[], { numbered = true, days = 7 } = {}): void {
    const number = numbered ? 'crlnumber=./crlnumber\n' : '';
    this.write(
      'ca.cnf',
      `[ca]\ndefault_ca=it\n[it]\ndatabase=./index.txt\n${number}default_md=sha256\ncrl_extensions=ext\n[ext]\nauthorityKeyIdentifier=keyid:always\n`,
    );
    this.write('index.txt', '');
    this.write('crlnumber', '01');
    const from = ['-config', 'ca.cnf', '-cert', `${issuer}.pem`, '-keyfile', `${issuer}.key`];
    for (const name of revoked)
      this.run('ca', ...from, '-revoke', `${name}.pem`, '-crl_reason', 'keyCompromise');
    this.run('ca', ...from, '-gencrl', '-crldays', String(days), '-out', file);
  }

  /** Whether `openssl verify` accepts a leaf. */
  accepts(leaf: string, root: string, args: readonly string[] = []): boolean {
    const { status } = spawnSync(
      'openssl',
      ['verify', '-x509_strict', '-CAfile', `${root}.pem`, ...args, `${leaf}.pem`],
      { cwd: this.#folder },
    );
    return status === 0;
  }
}

interface RootWish {
  readonly kind?: KeyKind;
  readonly extensions?: string;
  readonly subject?: string;
  /** Options for how to sign, such as `-sigopt`. */
  readonly signing?: readonly string[];
}
