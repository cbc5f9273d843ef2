import { parseCertificate, parseCrl, verifyPathSync, type VerifyOptions } from '@knsock/core/x509';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keyKinds, OpensslFolder, profiles, type KeyKind } from '../x509/openssl-authority.js';
import { needsTools, toolPath } from './tools.js';

const day = 86_400_000;
let folder: OpensslFolder;

beforeAll(() => {
  folder = new OpensslFolder();
  if (toolPath('openssl') === undefined) return;
  folder.root('root');
  folder.issue('middle', 'root', { extensions: profiles.ca });
  folder.issue('server', 'middle', { extensions: profiles.server });
});
afterAll(() => folder[Symbol.dispose]());
beforeEach((context) => needsTools(context, 'openssl'));

/** Our verdict: `ok`, or the reason and the depth. */
function ours(
  leaf: string,
  root: string,
  options: Partial<VerifyOptions> & { via?: readonly string[] } = {},
): string {
  const { via = [], ...rest } = options;
  const files = { leaf: folder.read(`${leaf}.pem`), anchors: [folder.read(`${root}.pem`)] };
  const intermediates = via.map((name) => folder.read(`${name}.pem`));
  const verdict = verifyPathSync({ ...files, intermediates, usage: 'server', ...rest });
  return verdict.ok ? 'ok' : `${verdict.reason} at ${verdict.position}`;
}

const forServer = ['-purpose', 'sslserver', '-verify_hostname', 'a.test'];
const viaMiddle = ['-untrusted', 'middle.pem'];

describe('certificates made by openssl', () => {
  it.each(Object.keys(keyKinds) as KeyKind[])(
    'with %s keys all the way are trusted as openssl trusts them',
    (kind) => {
      const id = kind.replaceAll(/\W/g, '');
      folder.root(`root-${id}`, { kind });
      folder.issue(`ca-${id}`, `root-${id}`, { kind, extensions: profiles.ca });
      folder.issue(`leaf-${id}`, `ca-${id}`, { kind, extensions: profiles.server });
      expect(folder.accepts(`leaf-${id}`, `root-${id}`, [...forServer, '-untrusted', `ca-${id}.pem`])).toBe(
        true,
      );
      expect(ours(`leaf-${id}`, `root-${id}`, { via: [`ca-${id}`], name: 'a.test' })).toBe('ok');
      expect(ours(`leaf-${id}`, 'root', { via: [`ca-${id}`], name: 'a.test' })).toBe('unknown-issuer at 2');
    },
  );

  it.each(['-1', '20', '32'])('signed with RSA-PSS and a salt of %s are trusted', (salt) => {
    const signing = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', `rsa_pss_saltlen:${salt}`, '-sha384'];
    folder.root('pss', { kind: 'RSA 2048', signing });
    folder.issue('pss-leaf', 'pss', { extensions: profiles.server, signing });
    expect(folder.accepts('pss-leaf', 'pss', forServer)).toBe(true);
    expect(ours('pss-leaf', 'pss', { name: 'a.test' })).toBe('ok');
  });

  it('signed with SHA-1 are weak', () => {
    folder.root('sha1', { kind: 'RSA 2048' });
    folder.issue('sha1-leaf', 'sha1', { extensions: profiles.server, signing: ['-sha1'] });
    expect(ours('sha1-leaf', 'sha1', { name: 'a.test' })).toBe('weak at 1');
  });

  it('say what openssl says they say', () => {
    const certificate = parseCertificate(folder.read('server.pem'));
    const text = folder.run(
      'x509',
      '-in',
      'server.pem',
      '-noout',
      '-serial',
      '-fingerprint',
      '-sha256',
      '-enddate',
      '-dateopt',
      'iso_8601',
    );
    expect(text.replaceAll(':', '').toLowerCase()).toContain(certificate.fingerprint256);
    expect(text.toLowerCase()).toContain(`serial=${certificate.serial}`);
    expect(text).toContain(certificate.notAfter.toISOString().slice(0, 19).replace('T', ' '));
  });
});

/** A change to a good chain, what we say to it, and how openssl is asked. */
interface Case {
  readonly what: string;
  readonly reason: string;
  readonly ca?: string;
  readonly leaf?: string;
  readonly subject?: string;
  readonly name?: string;
}

describe('openssl and we agree to refuse', () => {
  it.each<Case>([
    { what: 'a CA without the flag', reason: 'wrong-usage at 2', ca: 'basicConstraints=critical,CA:FALSE' },
    { what: 'a CA without basic constraints', reason: 'wrong-usage at 2', ca: 'subjectKeyIdentifier=hash' },
    {
      what: 'a CA that may not sign certificates',
      reason: 'wrong-usage at 2',
      ca: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign',
    },
    {
      what: 'a CA for clients only',
      reason: 'wrong-usage at 2',
      ca: `${profiles.ca}\nextendedKeyUsage=clientAuth`,
    },
    {
      what: "a client's certificate",
      reason: 'wrong-usage at 1',
      leaf: `${profiles.client}\nsubjectAltName=DNS:a.test`,
    },
    { what: 'another name', reason: 'wrong-name at 1', name: 'b.test' },
    {
      what: 'a name outside of what is permitted',
      reason: 'name-constraint at 1',
      ca: `${profiles.ca}\nnameConstraints=critical,permitted;DNS:b.test`,
    },
    {
      what: 'a name that is excluded',
      reason: 'name-constraint at 1',
      ca: `${profiles.ca}\nnameConstraints=critical,excluded;DNS:test`,
    },
    {
      what: 'an address outside of what is permitted',
      reason: 'name-constraint at 1',
      ca: `${profiles.ca}\nnameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0`,
      leaf: profiles.server.replace('DNS:a.test', 'DNS:a.test,IP:192.0.2.1'),
    },
    {
      what: 'an e-mail address outside of what is permitted',
      reason: 'name-constraint at 1',
      ca: `${profiles.ca}\nnameConstraints=critical,permitted;email:a.test`,
      leaf: profiles.server.replace('DNS:a.test', 'DNS:a.test,email:ann@b.test'),
    },
    {
      what: 'a URI outside of what is permitted',
      reason: 'name-constraint at 1',
      ca: `${profiles.ca}\nnameConstraints=critical,permitted;URI:a.test`,
      leaf: profiles.server.replace('DNS:a.test', 'DNS:a.test,URI:https://b.test/'),
    },
    {
      what: 'a subject outside of what is permitted',
      reason: 'name-constraint at 1',
      ca: `${profiles.ca}\nnameConstraints=critical,permitted;dirName:dir\n[dir]\nO=Acme`,
      subject: '/O=Other/CN=x',
    },
    {
      what: 'an unknown critical extension',
      reason: 'malformed at 1',
      leaf: `${profiles.server}\n1.3.6.1.4.1.55555.1=critical,DER:0500`,
    },
    {
      what: 'a leaf that may only encipher',
      reason: 'wrong-usage at 1',
      leaf: profiles.server.replace('digitalSignature', 'dataEncipherment'),
    },
  ])('$what', ({ reason, ca = profiles.ca, leaf = profiles.server, subject = '/CN=x', name = 'a.test' }) => {
    folder.issue('bad-ca', 'root', { extensions: ca });
    folder.issue('bad-leaf', 'bad-ca', { extensions: leaf, subject });
    const asked = ['-purpose', 'sslserver', '-verify_hostname', name, '-untrusted', 'bad-ca.pem'];
    expect(folder.accepts('bad-leaf', 'root', asked)).toBe(false);
    expect(ours('bad-leaf', 'root', { via: ['bad-ca'], name })).toBe(reason);
  });

  it('too many CAs below a path length', () => {
    folder.issue('short', 'root', { extensions: `${profiles.ca}\n`.replace('CA:TRUE', 'CA:TRUE,pathlen:0') });
    folder.issue('one-more', 'short', { extensions: profiles.ca });
    folder.issue('deep', 'one-more', { extensions: profiles.server });
    folder.write('both.pem', folder.read('short.pem') + folder.read('one-more.pem'));
    expect(folder.accepts('deep', 'root', [...forServer, '-untrusted', 'both.pem'])).toBe(false);
    expect(ours('deep', 'root', { via: ['both'], name: 'a.test' })).toBe('path-length at 2');
    folder.issue('shallow', 'short', { extensions: profiles.server });
    expect(folder.accepts('shallow', 'root', [...forServer, '-untrusted', 'short.pem'])).toBe(true);
    expect(ours('shallow', 'root', { via: ['short'], name: 'a.test' })).toBe('ok');
  });

  it('dates that have passed or not come', () => {
    const at = (days: number): string[] => [
      ...forServer,
      ...viaMiddle,
      '-attime',
      String(Math.floor((Date.now() + days * day) / 1000)),
    ];
    const judged = (days: number): string =>
      ours('server', 'root', { via: ['middle'], name: 'a.test', at: Date.now() + days * day });
    expect([folder.accepts('server', 'root', at(1)), judged(1)]).toEqual([true, 'ok']);
    expect([folder.accepts('server', 'root', at(25)), judged(25)]).toEqual([false, 'expired at 1']);
    expect([folder.accepts('server', 'root', at(-2)), judged(-2)]).toEqual([false, 'not-yet-valid at 1']);
  });

  it('a chain without its intermediate', () => {
    expect(folder.accepts('server', 'root', forServer)).toBe(false);
    expect(ours('server', 'root', { name: 'a.test' })).toBe('unknown-issuer at 1');
  });
});

describe('openssl and we agree to accept', () => {
  it.each<Omit<Case, 'reason'>>([
    { what: 'a name that is permitted', ca: `${profiles.ca}\nnameConstraints=critical,permitted;DNS:test` },
    {
      what: "a name that isn't excluded",
      ca: `${profiles.ca}\nnameConstraints=critical,excluded;DNS:b.test`,
    },
    {
      what: 'an address that is permitted',
      ca: `${profiles.ca}\nnameConstraints=critical,permitted;IP:192.0.2.0/255.255.255.0`,
      leaf: profiles.server.replace('DNS:a.test', 'DNS:a.test,IP:192.0.2.1'),
    },
    {
      what: 'a subject that is permitted',
      ca: `${profiles.ca}\nnameConstraints=critical,permitted;dirName:dir\n[dir]\nO=Acme`,
      subject: '/O=Acme/CN=x',
    },
    { what: 'a CA for servers', ca: `${profiles.ca}\nextendedKeyUsage=serverAuth` },
    { what: 'a wildcard', leaf: profiles.server.replace('DNS:a.test', 'DNS:*.b.test'), name: 'x.b.test' },
    {
      what: 'policies',
      ca: `${profiles.ca}\ncertificatePolicies=1.2.3.4\npolicyConstraints=critical,requireExplicitPolicy:0`,
      leaf: `${profiles.server}\ncertificatePolicies=1.2.3.4`,
    },
  ])('$what', ({ ca = profiles.ca, leaf = profiles.server, subject = '/CN=x', name = 'a.test' }) => {
    folder.issue('good-ca', 'root', { extensions: ca });
    folder.issue('good-leaf', 'good-ca', { extensions: leaf, subject });
    const asked = ['-purpose', 'sslserver', '-verify_hostname', name, '-untrusted', 'good-ca.pem'];
    expect(folder.accepts('good-leaf', 'root', [...asked, '-policy', '1.2.3.4'])).toBe(true);
    expect(ours('good-leaf', 'root', { via: ['good-ca'], name })).toBe('ok');
  });
});

describe('CRLs made by openssl ca', () => {
  const judged = (crl: string, options: Partial<VerifyOptions> = {}): string =>
    ours('server', 'root', { via: ['middle'], name: 'a.test', crls: [folder.read(crl)], ...options });
  const accepted = (crl: string, ...args: string[]): boolean =>
    folder.accepts('server', 'root', [...forServer, ...viaMiddle, '-crl_check', '-CRLfile', crl, ...args]);

  it('revoke', () => {
    folder.crl('revoking.crl', 'middle', ['server']);
    expect([accepted('revoking.crl'), judged('revoking.crl')]).toEqual([false, 'revoked at 1']);
    const crl = parseCrl(folder.read('revoking.crl'));
    expect(crl.find(parseCertificate(folder.read('server.pem')))).toMatchObject({ reason: 'keyCompromise' });
    expect(crl.number).toBe('01');
  });

  it('clear', () => {
    folder.crl('empty.crl', 'middle', []);
    expect([accepted('empty.crl'), judged('empty.crl')]).toEqual([true, 'ok']);
  });

  it('go stale', () => {
    folder.crl('short.crl', 'middle', [], { days: 1 });
    const later = Date.now() + 2 * day;
    expect(accepted('short.crl', '-attime', String(Math.floor(later / 1000)))).toBe(false);
    expect(judged('short.crl', { at: later })).toBe('crl-stale at 1');
  });

  it('without a number are relied on, as by openssl, unless the policy refuses', () => {
    folder.crl('unnumbered.crl', 'middle', [], { numbered: false });
    expect([accepted('unnumbered.crl'), judged('unnumbered.crl')]).toEqual([true, 'ok']);
    const revocation = { unnumbered: 'refuse' } as const;
    expect(judged('unnumbered.crl', { revocation })).toBe('revocation-unknown at 1');
  });
});

describe('bare recipes', () => {
  it('of a self-signed server are trusted with a subjectAltName, and told how to get one without', () => {
    folder.key('own');
    const recipe = [
      'req',
      '-x509',
      '-key',
      'own.key',
      '-subj',
      '/CN=localhost',
      '-days',
      '3',
      '-out',
      'own.pem',
    ];
    folder.run(...recipe);
    const bare = verifyPathSync({
      leaf: folder.read('own.pem'),
      anchors: [folder.read('own.pem')],
      name: 'localhost',
      usage: 'server',
    });
    expect(!bare.ok && bare.message).toContain('openssl: -addext "subjectAltName=DNS:localhost"');
    folder.run(...recipe, '-addext', 'subjectAltName=DNS:localhost');
    expect(ours('own', 'own', { name: 'localhost' })).toBe('ok');
    expect(ours('own', 'root', { name: 'localhost' })).toBe('self-signed at 1');
  });

  it('of a client without any extensions are trusted, of a server not', () => {
    folder.issue('ann', 'root');
    expect(ours('ann', 'root', { usage: 'client' })).toBe('ok');
    expect(ours('ann', 'root', { usage: 'server', name: 'ann' })).toBe('wrong-name at 1');
  });

  it('as Easy-RSA configures them are trusted', () => {
    const ca =
      'basicConstraints=CA:TRUE\nkeyUsage=cRLSign,keyCertSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always,issuer:always';
    const server =
      'basicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid,issuer:always\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature,keyEncipherment\nsubjectAltName=DNS:a.test';
    folder.root('easy', { kind: 'RSA 2048', extensions: ca, subject: '/CN=Easy-RSA CA' });
    folder.issue('easy-server', 'easy', { kind: 'RSA 2048', extensions: server });
    expect(ours('easy-server', 'easy', { name: 'a.test' })).toBe('ok');
  });

  it('of a chain that ends at an intermediate are trusted by choice', () => {
    expect(ours('server', 'middle', { name: 'a.test' })).toBe('unknown-issuer at 2');
    expect(ours('server', 'middle', { name: 'a.test', partialChain: true })).toBe('ok');
    expect(folder.accepts('server', 'middle', [...forServer, '-partial_chain'])).toBe(true);
  });
});
