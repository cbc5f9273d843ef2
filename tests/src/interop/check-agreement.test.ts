import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { addRsa, auditedServers } from './audited-servers.js';
import { checked, nmap, sslscan, suitesOf, testssl } from './auditors.js';
import { needsTools, toolPath } from './tools.js';

// The same servers, looked at by others: version by version and suite by suite they must say what we say.

/** `npm run test:audit` asks testssl.sh about every server, which takes minutes. */
const isFullAudit = process.env['KNSOCK_AUDIT'] === '1';

let files: CertificateFolder;
let names: ReadonlyMap<number, string>;
beforeAll(async () => {
  files = await createCertificateFolder();
  if (toolPath('openssl') === undefined) return;
  addRsa(files);
  names = ianaNames();
});
afterAll(() => files[Symbol.asyncDispose]());

/** OpenSSL's own table: the numbers and standard names of the suites that it knows. */
function ianaNames(): Map<number, string> {
  const modern = [
    'AES_128_GCM_SHA256',
    'AES_256_GCM_SHA384',
    'CHACHA20_POLY1305_SHA256',
    'AES_128_CCM_SHA256',
    'AES_128_CCM_8_SHA256',
  ];
  const tls13 = ['-ciphersuites', modern.map((name) => `TLS_${name}`).join(':')];
  const args = ['ciphers', '-stdname', '-V', ...tls13, 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'];
  const table = execFileSync('openssl', args, { encoding: 'utf8' });
  const lines = [...table.matchAll(/0x(\w\w),0x(\w\w) - (TLS_\S+)/g)];
  return new Map(lines.map(([, high = '', low = '', name = '']) => [Number.parseInt(high + low, 16), name]));
}

const nameOf = (number: number): string => names.get(number) ?? `0x${number.toString(16)}`;

describe.each(auditedServers)('knsock check on $name', ({ name, needs, start }) => {
  it('agrees with sslscan and nmap about versions and suites', async (context) => {
    needsTools(context, ...needs, 'openssl', 'sslscan', 'nmap');
    await using server = await start(files);
    const { port } = server;
    const [report, bySslscan, byNmap] = await Promise.all([checked(port), sslscan(port, nameOf), nmap(port)]);
    const ours = suitesOf(report);
    expect(Object.keys(ours)).not.toEqual([]);
    expect(ours).toEqual(bySslscan);
    expect(ours).toEqual(byNmap);
  });

  const isProbed = isFullAudit || /its own order|knsock serve/.test(name);
  if (!isProbed) return;
  it(
    "agrees with testssl.sh about protocols and the server's defaults",
    { timeout: 600_000 },
    async (context) => {
      needsTools(context, ...needs, 'openssl', 'testssl');
      await using server = await start(files);
      const { facts, findings } = await checked(server.port);
      const theirs = await testssl(server.port, ['--protocols', '--server-defaults']);
      const spoken = facts.versions.map(({ version }) => version);
      const protocols = {
        SSLv2: 'SSLv2',
        SSLv3: 'SSLv3',
        TLSv1: 'TLS1',
        'TLSv1.1': 'TLS1_1',
        'TLSv1.2': 'TLS1_2',
        'TLSv1.3': 'TLS1_3',
      };
      for (const [version, id] of Object.entries(protocols)) {
        expect([version, /^offered/.test(theirs.get(id) ?? '')]).toEqual([version, spoken.includes(version)]);
      }
      const rules = findings.map(({ rule }) => rule);
      expect(rules.includes('ca-signed')).toBe(
        /self[- ]signed/i.test(theirs.get('cert_chain_of_trust') ?? ''),
      );
    },
  );
});
