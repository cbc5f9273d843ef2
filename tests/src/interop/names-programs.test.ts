/** Ordinary clients reach the name they ask for, new and resumed, where names are read before TLS. */
import { execFile, execFileSync } from 'node:child_process';
import { createCredentials, lines, listen, type SecureServer } from '@knsock/core';
import { connectionOf, serveHttp } from '@knsock/core/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { portOf } from '../support/world.js';
import { needsTools, toolPath } from './tools.js';

const NAME = 'named.test';

let folder: CertificateFolder;
let server: SecureServer;
let port: number;
beforeAll(async () => {
  folder = await createCertificateFolder();
  const issue = async (name: string) => {
    const { chain, key } = await folder.authority.issue({ kind: 'server', names: [name], days: 7 });
    return createCredentials({ cert: chain, key });
  };
  const options = { port: 0, host: '127.0.0.1', framing: lines(), unknownName: 'refuse' } as const;
  const credentials = await issue('localhost');
  // Of the usual groups only this one: most clients are asked for a second ClientHello.
  const profile = { groups: 'P-384:P-256' };
  const sni = { [NAME]: { credentials: await issue(NAME) } };
  server = await listen({ ...options, credentials, profile, sni }, (connection) => {
    connection.write(`${connection.tls.servername ?? 'no name'}${connection.tls.resumed ? ', resumed' : ''}`);
    void connection.close();
  });
  port = portOf(server);
});
afterAll(async () => {
  await server.close();
  await folder[Symbol.asyncDispose]();
});

/** What a program prints. */
function output(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 30_000 }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
    // Those that end with their input end with the connection instead.
    child.stdin?.on('error', () => undefined);
  });
}

/** Two visits that share what they remember of sessions; each prints what the server said. */
const GO = `package main
import ("crypto/tls"; "crypto/x509"; "fmt"; "io"; "os")
func main() {
	ca, _ := os.ReadFile(os.Args[2])
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	versions := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	config := &tls.Config{ServerName: os.Args[4], RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(4),
		MinVersion: versions[os.Args[3]], MaxVersion: versions[os.Args[3]],
		// Go 1.19 makes a wrong binder behind a second ClientHello, with plain node:tls as well.
		CurvePreferences: []tls.CurveID{tls.CurveP384, tls.CurveP256}}
	for i := 0; i < 2; i++ {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[1], config)
		if err != nil { fmt.Println(err); os.Exit(1) }
		said, _ := io.ReadAll(conn)
		fmt.Print(string(said))
		conn.Close()
	}
}`;
const JAVA = `import java.io.*; import java.nio.file.*; import java.security.KeyStore; import java.security.cert.*; import javax.net.ssl.*; import java.util.*;
public class Visit {
  public static void main(String[] args) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream in = Files.newInputStream(Path.of(args[1]))) {
      store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    for (int i = 0; i < 2; i++) {
      java.net.Socket plain = new java.net.Socket("127.0.0.1", Integer.parseInt(args[0]));
      SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, args[3], Integer.parseInt(args[0]), true);
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setServerNames(List.of(new SNIHostName(args[3])));
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      parameters.setProtocols(new String[] { "TLSv" + args[2] });
      socket.setSSLParameters(parameters);
      System.out.print(new String(socket.getInputStream().readAllBytes()));
      socket.close();
    }
  }
}`;

describe.each(['1.2', '1.3'])('over TLS %s', (version) => {
  it('Go, new and resumed', { timeout: 120_000 }, async (context) => {
    needsTools(context, 'go');
    await folder.write('visit.go', GO);
    const env = { ...process.env, GOCACHE: folder.at('go-cache'), GOFLAGS: '-mod=mod', HOME: folder.path };
    execFileSync('go', ['build', '-o', folder.at('visit'), folder.at('visit.go')], { env });
    const printed = await output(folder.at('visit'), String(port), folder.at('ca.crt'), version, NAME);
    expect(printed).toBe(`${NAME}\n${NAME}, resumed\n`);
  });

  it('Java, new and resumed', { timeout: 120_000 }, async (context) => {
    needsTools(context, 'java', 'javac');
    const file = await folder.write('Visit.java', JAVA);
    const printed = await output('java', file, String(port), folder.at('ca.crt'), version, NAME);
    expect(printed).toBe(`${NAME}\n${NAME}, resumed\n`);
  });

  it('openssl, new and resumed', async (context) => {
    needsTools(context, 'openssl');
    const session = folder.at(`session-${version}`);
    const tls = `-tls${version.replace('.', '_')}`;
    const visit = (...more: string[]) =>
      output(
        'openssl',
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        '-servername',
        NAME,
        tls,
        '-ign_eof',
        ...more,
      );
    expect(await visit('-sess_out', session)).toContain(`${NAME}\n`);
    expect(await visit('-sess_in', session)).toContain(`${NAME}, resumed\n`);
    expect(await visit('-groups', 'X25519:P-384:P-256')).toContain(`${NAME}\n`);
  });

  it('curl, new and resumed', async (context) => {
    needsTools(context, 'curl');
    const only = ['--tlsv1.2', ...(version === '1.2' ? ['--tls-max', '1.2'] : [])];
    const to = ['--resolve', `${NAME}:${port}:127.0.0.1`, '--cacert', folder.at('ca.crt')];
    const url = `https://${NAME}:${port}/`;
    // One call remembers the session from its first URL to its second; over TLS 1.2 curl 7.88 doesn't with node:tls either.
    const printed = await output('curl', '-sS', '--http0.9', ...only, ...to, url, url);
    const resumed = version === '1.3' ? ', resumed' : '(, resumed)?';
    expect(printed).toMatch(new RegExp(`^${NAME}\n${NAME}${resumed}\n$`));
  });

  it('gnutls-cli, new and resumed', async (context) => {
    needsTools(context, 'gnutls-cli');
    const priority = `NORMAL:-VERS-ALL:+VERS-TLS${version}`;
    const who = ['--sni-hostname', NAME, '--verify-hostname', NAME, '--x509cafile', folder.at('ca.crt')];
    const printed = await output(
      'gnutls-cli',
      '--priority',
      priority,
      ...who,
      ...['--resume', '--waitresumption'],
      '-p',
      String(port),
      '127.0.0.1',
    );
    expect(printed).toContain(`\n${NAME}, resumed\n`);
  });
});

/** The page says who was asked for, and asks twice more over connections of their own. */
const PAGE = (said: string) => `<body>${said}<script>
  const again = () => fetch('/again').then((response) => response.text()).then((text) => document.body.append('; ' + text));
  again().then(again);
</script></body>`;

it(
  'Chromium shows the page of the name, over one connection and, resumed, over the next',
  { timeout: 60_000 },
  async (context) => {
    needsTools(context, 'chromium');
    const issued = await folder.authority.issue({ kind: 'server', names: [NAME], days: 7 });
    const named = createCredentials({ cert: issued.chain, key: issued.key });
    const own = await folder.authority.issue({ kind: 'server', names: ['localhost'], days: 7 });
    await using pages = await serveHttp(
      {
        ...{ port: 0, host: '127.0.0.1', unknownName: 'refuse', profile: { groups: 'P-384:P-256' } },
        credentials: createCredentials({ cert: own.chain, key: own.key }),
        sni: { [NAME]: { credentials: named } },
      },
      (request, response) => {
        const { servername, resumed } = connectionOf(request)?.tls ?? {};
        const said = `${servername ?? 'no name'}${resumed === true ? ', resumed' : ''}`;
        response.setHeader('Connection', 'close').setHeader('Content-Type', 'text/html');
        response.end(request.url === '/' ? PAGE(said) : said);
      },
    );
    const pin = named.certificate?.spkiPin.slice('sha256/'.length) ?? '';
    const printed = await output(
      toolPath('chromium') as string,
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
      ...['--disable-background-networking', `--user-data-dir=${folder.at('chromium')}`],
      ...[`--host-resolver-rules=MAP ${NAME} 127.0.0.1`, `--ignore-certificate-errors-spki-list=${pin}`],
      ...['--virtual-time-budget=5000', '--dump-dom', `https://${NAME}:${portOf(pages)}/`],
    );
    expect(printed).toContain(`<body>${NAME}<script>`);
    expect(printed).toMatch(new RegExp(`; ${NAME}(, resumed)?; ${NAME}, resumed</body>`));
  },
);
