/** Every kind of certificate that is made here, judged by every program that people verify with. */
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  createAuthority,
  createCsr,
  createDevelopmentAuthority,
  createSelfSigned,
  lint,
  type KeyType,
} from '@knsock/certs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needsTools, toolPath } from './tools.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'knsock-validators-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A server's credentials, and whom its clients trust; PEM. */
interface Made {
  readonly chain: string;
  readonly key: string;
  readonly root: string;
  /** Between leaf and root. */
  readonly intermediates: string;
  readonly crl: Uint8Array;
}

const NAME = 'localhost';

/** Leaf, intermediate and root, all with keys of one type. */
async function chainOf(keyType: KeyType): Promise<Made> {
  const root = await createAuthority({ commonName: 'Root', keyType, organization: 'Example', country: 'CH' });
  const nameConstraints = { permitted: [NAME, '127.0.0.0/8'] };
  const below = await root.intermediate({ commonName: 'Below', keyType, nameConstraints });
  const names = [NAME, '127.0.0.1'];
  const { chain, key } = await below.issue({
    kind: 'server',
    names,
    keyType,
    crlUrls: ['http://localhost/a'],
  });
  return { chain, key, root: root.root, intermediates: below.certificate, crl: (await root.crl()).der };
}

async function ofDevelopment(): Promise<Made> {
  const authority = await createDevelopmentAuthority();
  const { chain, key } = await authority.issue({ kind: 'peer', names: [NAME, '*.a.test', '::1'] });
  const { root, certificate: intermediates } = authority;
  return { chain, key, root, intermediates, crl: (await authority.crl()).der };
}

/** A request that another machine made. */
async function ofRequest(): Promise<Made> {
  const root = await createAuthority({ commonName: 'Root' });
  const { csr, key } = await createCsr({ names: [NAME], keyType: 'rsa2048' });
  const { chain } = await root.sign(csr, { kind: 'server', names: [NAME] });
  return { chain, key, root: root.root, intermediates: '', crl: (await root.crl()).der };
}

const makers: Readonly<Record<string, () => Promise<Made>>> = {
  'P-256 chain': () => chainOf('p256'),
  'P-384 chain': () => chainOf('p384'),
  'RSA chain': () => chainOf('rsa2048'),
  'Ed25519 chain': () => chainOf('ed25519'),
  'development authority': ofDevelopment,
  'signed request': ofRequest,
};

/** Judges a server's certificate for `localhost`; what it says where it refuses it, else ''. */
interface Validator {
  readonly tools: readonly string[];
  /** Makers that it can't judge, with the reason. */
  readonly without: Readonly<Record<string, string>>;
  readonly judge: (made: Made) => string | Promise<string>;
}

/** Runs a program in the folder; what it says. */
function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const options = {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 60_000,
  } as const;
  const { stdout, stderr, status } = spawnSync(toolPath(program) ?? program, args, options);
  return `${stdout}${stderr}exit ${status}`;
}

const asserts = (said: string, good: RegExp): string => (good.test(said) ? '' : said || '(nothing)');

const GO = `package main
import ("crypto/x509"; "encoding/pem"; "fmt"; "os")
func main() {
	roots, pool := x509.NewCertPool(), x509.NewCertPool()
	ca, _ := os.ReadFile("root.pem")
	roots.AppendCertsFromPEM(ca)
	rest, _ := os.ReadFile("chain.pem")
	var leaf *x509.Certificate
	for block, more := pem.Decode(rest); block != nil; block, more = pem.Decode(more) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil { fmt.Println(err); return }
		if leaf == nil { leaf = certificate } else { pool.AddCert(certificate) }
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: "${NAME}", Roots: roots, Intermediates: pool})
	fmt.Println("verdict", err)
}
`;

/** Serves a page that is a revocation list, for as long as `visit` takes. */
async function served(made: Made, visit: (url: string) => Promise<string>): Promise<string> {
  const server = createServer({ cert: made.chain, key: made.key }, (request, response) => {
    if (request.url === '/a.crl') response.end(made.crl);
    else response.setHeader('content-type', 'text/html').end('<p>it is trusted</p>');
  }).listen(0, 'localhost');
  await once(server, 'listening');
  try {
    return await visit(`https://${NAME}:${(server.address() as AddressInfo).port}/a.crl`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A folder with NSS' database of certificates: the home that a browser finds it in. */
function nssHome(made: Made): { home: string; database: string } {
  const home = mkdtempSync(path.join(folder, 'home-'));
  const database = `sql:${path.join(home, '.pki', 'nssdb')}`;
  run('mkdir', ['-p', path.join(home, '.pki', 'nssdb')]);
  run('certutil', ['-N', '-d', database, '--empty-password']);
  run('certutil', ['-A', '-d', database, '-n', 'root', '-t', 'CT,C,C', '-i', 'root.pem']);
  if (made.intermediates !== '')
    run('certutil', ['-A', '-d', database, '-n', 'below', '-t', ',,', '-i', 'below.pem']);
  return { home, database };
}

const execute = promisify(execFile);

/** The same without standing in the way of a server in this process. */
async function runBeside(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, ...env }, timeout: 100_000 };
  return execute(toolPath(program) ?? program, args, options).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: unknown) => {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      return `${stdout}${stderr}${String(error)}`;
    },
  );
}

const NO_ED25519 = 'it has no Ed25519 certificates';

const validators: Readonly<Record<string, Validator>> = {
  'knsock lint': {
    tools: [],
    without: {},
    judge: async ({ chain, root }) =>
      [...(await lint(chain)), ...(await lint(root))].map(({ message }) => message).join('\n'),
  },
  'openssl -x509_strict': {
    tools: ['openssl'],
    without: {},
    judge: ({ intermediates }) => {
      const chain = intermediates === '' ? [] : ['-untrusted', 'below.pem'];
      const how = ['-x509_strict', '-purpose', 'sslserver', '-verify_hostname', NAME];
      return asserts(
        run('openssl', ['verify', '-CAfile', 'root.pem', ...how, ...chain, 'chain.pem']),
        /^chain.pem: OK\n/,
      );
    },
  },
  'GnuTLS certtool': {
    tools: ['certtool'],
    without: {},
    judge: () => {
      const files = ['--infile', 'chain.pem', '--load-ca-certificate', 'root.pem'];
      const how = ['--verify-hostname', NAME, '--verify-purpose', '1.3.6.1.5.5.7.3.1'];
      return asserts(
        run('certtool', ['--verify', ...files, ...how]),
        /Verified\. The certificate is trusted\./,
      );
    },
  },
  Go: {
    tools: ['go'],
    without: {},
    judge: () => asserts(run(path.join(folder, 'verify'), []), /^verdict <nil>/),
  },
  Java: {
    tools: ['keytool'],
    without: {},
    // The runtime alone has no compiler; but its keytool fetches lists over HTTPS, and verifies the server as ever.
    judge: (made) => {
      rmSync(path.join(folder, 'trust.p12'), { force: true });
      const store = ['-keystore', 'trust.p12', '-storepass', 'secret', '-storetype', 'PKCS12'];
      run('keytool', ['-importcert', '-noprompt', '-alias', 'root', '-file', 'root.pem', ...store]);
      const trust = ['Store=trust.p12', 'StorePassword=secret', 'StoreType=PKCS12'];
      const java = trust.map((one) => `-J-Djavax.net.ssl.trust${one}`);
      return served(made, async (url) =>
        asserts(await runBeside('keytool', ['-printcrl', '-file', url, ...java]), /X\.509 CRL v2/),
      );
    },
  },
  'NSS certutil': {
    tools: ['certutil'],
    without: { 'Ed25519 chain': NO_ED25519 },
    judge: (made) => {
      const { database } = nssHome(made);
      run('certutil', ['-A', '-d', database, '-n', 'leaf', '-t', ',,', '-i', 'leaf.pem']);
      return asserts(
        run('certutil', ['-V', '-d', database, '-n', 'leaf', '-u', 'V']),
        /certificate is valid/,
      );
    },
  },
  Chromium: {
    tools: ['chromium', 'certutil'],
    without: { 'Ed25519 chain': NO_ED25519 },
    judge: (made) => {
      const { home } = nssHome(made);
      const flags = [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
      ];
      return served(made, async (url) => {
        const page = url.replace('/a.crl', '/');
        const profile = `--user-data-dir=${path.join(home, 'profile')}`;
        return asserts(
          await runBeside('chromium', [...flags, profile, '--dump-dom', page], { HOME: home }),
          /it is trusted/,
        );
      });
    },
  },
};

const cases = Object.entries(validators).flatMap(([name, validator]) =>
  Object.keys(makers)
    .filter((maker) => !(maker in validator.without))
    .map((maker) => ({ name, maker, validator })),
);

describe('what is made here', () => {
  const made = new Map<string, Promise<Made>>();
  beforeAll(() => {
    if (toolPath('go') === undefined) return;
    writeFileSync(path.join(folder, 'verify.go'), GO);
    const env = { GO111MODULE: 'off', GOFLAGS: '', GOCACHE: path.join(folder, 'cache') };
    run('go', ['build', '-o', 'verify', 'verify.go'], env);
  }, 240_000);

  /** Its files, written for the validators; each kind is made once. */
  async function write(maker: string, root?: string): Promise<Made> {
    const known = made.get(maker) ?? makers[maker]?.();
    if (known === undefined) throw new Error(`nothing makes ${maker}`);
    made.set(maker, known);
    const files = await known;
    const { chain, intermediates } = files;
    const leaf = chain.slice(0, chain.indexOf('-----END') + '-----END CERTIFICATE-----\n'.length);
    const written = { chain, leaf, root: root ?? files.root, below: intermediates };
    for (const [name, content] of Object.entries(written))
      writeFileSync(path.join(folder, `${name}.pem`), content);
    return files;
  }

  it.for(cases)(
    'is accepted by $name: $maker',
    { timeout: 120_000 },
    async ({ maker, validator }, context) => {
      needsTools(context, ...validator.tools);
      expect(await validator.judge(await write(maker))).toBe('');
    },
  );

  it.for(Object.entries(validators).filter(([, { tools }]) => tools.length > 0))(
    'is refused by %s where another root is trusted',
    { timeout: 120_000 },
    async ([, validator], context) => {
      needsTools(context, ...validator.tools);
      const { root } = await createAuthority({ commonName: 'Root', organization: 'Example', country: 'CH' });
      expect(await validator.judge(await write('P-256 chain', root))).not.toBe('');
    },
  );
});

describe('a certificate that signs itself', () => {
  it.for(['p256', 'rsa2048', 'ed25519'] satisfies KeyType[])(
    "has nothing odd and is strict openssl's own root, with a key of type %s",
    async (keyType, context) => {
      needsTools(context, 'openssl');
      const { chain } = await createSelfSigned({ names: [NAME], keyType });
      expect(await lint(chain)).toEqual([]);
      writeFileSync(path.join(folder, 'chain.pem'), chain);
      const how = ['-x509_strict', '-purpose', 'sslserver', '-verify_hostname', NAME];
      expect(run('openssl', ['verify', '-CAfile', 'chain.pem', ...how, 'chain.pem'])).toMatch(
        /^chain.pem: OK\n/,
      );
    },
  );
});
