import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyPathSync } from '@knsock/core/x509';
import { issue, issueCa, issueServer, nameConstraints, now, subjectAltName, type Made } from './issue.js';

interface Case {
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
  readonly names: readonly string[];
  readonly subject?: string;
}

/** The verdict on a leaf with these names under a root with these constraints: `ok` or the reason. */
function verdict({ permitted, excluded, names, subject = 'CN=x' }: Case): string {
  const limits = nameConstraints({ ...(permitted && { permitted }), ...(excluded && { excluded }) });
  const root = issueCa({ subject: 'CN=Root', extensions: [limits] });
  const leaf = issue({
    subject,
    issuer: root,
    extensions: names.length > 0 ? [subjectAltName(...names)] : [],
  });
  return judged(leaf, root);
}

function judged(leaf: Made, root: Made, ...intermediates: readonly Made[]): string {
  const result = verifyPathSync({
    leaf: leaf.der,
    intermediates: intermediates.map(({ der }) => der),
    anchors: [root.der],
    at: now,
    usage: 'client',
  });
  return result.ok ? 'ok' : result.reason;
}

describe('name constraints on DNS names', () => {
  it.each<[string, Case]>([
    ['the name itself', { permitted: ['DNS:a.test'], names: ['DNS:a.test'] }],
    ['names below it', { permitted: ['DNS:a.test'], names: ['DNS:x.y.a.test'] }],
    ['names in any case', { permitted: ['DNS:A.test'], names: ['DNS:x.a.TEST'] }],
    ['a wildcard of names within', { permitted: ['DNS:a.test'], names: ['DNS:*.a.test'] }],
    [
      'one of several spaces',
      { permitted: ['DNS:a.test', 'DNS:b.test'], names: ['DNS:b.test', 'DNS:x.a.test'] },
    ],
    ['everything, by the empty name', { permitted: ['DNS:'], names: ['DNS:a.test'] }],
    ['other kinds of names', { permitted: ['DNS:a.test'], names: ['IP:c0000201', 'email:a@b.test'] }],
    [
      'names outside of what is excluded',
      { excluded: ['DNS:a.test'], names: ['DNS:b.test', 'DNS:xa.test', 'DNS:test'] },
    ],
    ['a wildcard beside what is excluded', { excluded: ['DNS:x.y.a.test'], names: ['DNS:*.a.test'] }],
  ])('permit %s', (_, limits) => {
    expect(verdict(limits)).toBe('ok');
  });

  it.each<[string, Case]>([
    ['another name', { permitted: ['DNS:a.test'], names: ['DNS:b.test'] }],
    ['a name that only ends alike', { permitted: ['DNS:a.test'], names: ['DNS:xa.test'] }],
    ['the parent', { permitted: ['DNS:a.test'], names: ['DNS:test'] }],
    [
      'one name outside among others inside',
      { permitted: ['DNS:a.test'], names: ['DNS:a.test', 'DNS:b.test'] },
    ],
    ['a wildcard larger than the space', { permitted: ['DNS:a.test'], names: ['DNS:*.test'] }],
    ['a wildcard over an excluded name', { excluded: ['DNS:a.test'], names: ['DNS:*.test'] }],
    ['a wildcard within an excluded space', { excluded: ['DNS:test'], names: ['DNS:*.a.test'] }],
    [
      'what is both permitted and excluded',
      { permitted: ['DNS:test'], excluded: ['DNS:a.test'], names: ['DNS:x.a.test'] },
    ],
    ['every name, by the empty one', { excluded: ['DNS:'], names: ['DNS:a.test'] }],
    ['a name that is none', { permitted: ['DNS:a.test'], names: ['DNS:.a.test'] }],
    ['a name with a NUL', { permitted: ['DNS:a.test'], names: ['DNS:b.test\0.a.test'] }],
    ['a trailing dot', { excluded: ['DNS:a.test'], names: ['DNS:a.test.'] }],
    [
      'a common name that is a host, where there are no DNS names',
      { permitted: ['DNS:a.test'], names: [], subject: 'CN=b.test' },
    ],
    ['a constraint with a leading dot', { permitted: ['DNS:.a.test'], names: ['DNS:x.a.test'] }],
    ['a constraint with a wildcard', { excluded: ['DNS:*.a.test'], names: ['DNS:b.test'] }],
  ])('refuse %s', (_, limits) => {
    expect(verdict(limits)).toBe('name-constraint');
  });
});

describe('name constraints on addresses', () => {
  const net = 'IP:c0000200ffffff00';
  const net6 = `IP:20010db8${'00'.repeat(12)}ffffffff${'00'.repeat(12)}`;

  it('hold bit by bit', () => {
    expect(verdict({ permitted: [net], names: ['IP:c00002ff'] })).toBe('ok');
    expect(verdict({ permitted: [net], names: ['IP:c0000301'] })).toBe('name-constraint');
    expect(verdict({ excluded: [net], names: ['IP:c0000301'] })).toBe('ok');
    expect(verdict({ excluded: [net], names: ['IP:c0000201'] })).toBe('name-constraint');
    expect(verdict({ permitted: [net6], names: [`IP:20010db8${'11'.repeat(12)}`] })).toBe('ok');
    expect(verdict({ permitted: [net6], names: [`IP:20010db9${'11'.repeat(12)}`] })).toBe('name-constraint');
  });

  it('permit no address of the other family', () => {
    expect(verdict({ permitted: [net], names: [`IP:${'00'.repeat(15)}01`] })).toBe('name-constraint');
    expect(verdict({ permitted: [net, net6], names: ['IP:c0000201', `IP:20010db8${'11'.repeat(12)}`] })).toBe(
      'ok',
    );
  });

  it('must have a mask that is a prefix', () => {
    expect(verdict({ permitted: ['IP:c0000200ff00ff00'], names: ['IP:c0000201'] })).toBe('name-constraint');
  });
});

describe('name constraints on mailboxes', () => {
  it.each<[string, string, string, string]>([
    ['a mailbox', 'email:ann@a.test', 'email:ann@A.test', 'email:bob@a.test'],
    ['a host', 'email:a.test', 'email:ann@a.test', 'email:ann@x.a.test'],
    ['all hosts below', 'email:.a.test', 'email:ann@x.a.test', 'email:ann@a.test'],
    ['a mailbox, its local part to the letter', 'email:Ann@a.test', 'email:Ann@a.test', 'email:ann@a.test'],
  ])('of %s hold', (_, constraint, inside, outside) => {
    expect(verdict({ permitted: [constraint], names: [inside] })).toBe('ok');
    expect(verdict({ permitted: [constraint], names: [outside] })).toBe('name-constraint');
    expect(verdict({ excluded: [constraint], names: [inside] })).toBe('name-constraint');
    expect(verdict({ excluded: [constraint], names: [outside] })).toBe('ok');
  });

  it('hold for the address in a subject too', () => {
    expect(verdict({ permitted: ['email:a.test'], names: [], subject: 'emailAddress=ann@b.test' })).toBe(
      'name-constraint',
    );
    expect(verdict({ permitted: ['email:a.test'], names: [], subject: 'emailAddress=ann@a.test' })).toBe(
      'ok',
    );
  });

  it('refuse a mailbox that is none', () => {
    expect(verdict({ permitted: ['email:a.test'], names: ['email:ann@b@a.test'] })).toBe('name-constraint');
  });
});

describe('name constraints on URIs', () => {
  it.each<[string, string, string]>([
    ['URI:a.test', 'URI:https://user@a.test:443/x?y#z', 'URI:https://x.a.test/'],
    ['URI:.a.test', 'URI:spiffe://x.a.test/workload', 'URI:spiffe://a.test/workload'],
    ['URI:.a.test', 'URI:https://x.A.test', 'URI:https://b.test/.a.test'],
    ['URI:a.test', 'URI:https://a.test', 'URI:https://a.test@b.test/'],
    ['URI:a.test', 'URI:https://b.test@a.test/', 'URI:https://b.test\\@a.test/'],
  ])('%s permits %s and not %s', (constraint, inside, outside) => {
    expect(verdict({ permitted: [constraint], names: [inside] })).toBe('ok');
    expect(verdict({ permitted: [constraint], names: [outside] })).toBe('name-constraint');
  });

  it('refuse URIs without a host name', () => {
    for (const uri of [
      'URI:urn:uuid:1',
      'URI:https://192.0.2.1/',
      'URI:https://[::1]/',
      'URI:file:///etc',
      'URI:',
    ]) {
      expect(verdict({ excluded: ['URI:b.test'], names: [uri] }), uri).toBe('name-constraint');
    }
  });
});

it('permit no URI of which a browser finds another host', () => {
  const pieces = [
    'a.test',
    'b.test',
    '@',
    '\\',
    '/',
    '?',
    '#',
    ':',
    '80',
    '%40',
    '%2f',
    '%5c',
    '[',
    ']',
    '.',
    ';',
    ' ',
  ];
  const authorities = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(''));
  let permitted = 0;
  fc.assert(
    fc.property(authorities, fc.constantFrom('https', 'spiffe'), (authority, scheme) => {
      const uri = `${scheme}://${authority}`;
      if (verdict({ permitted: ['URI:a.test'], names: [`URI:${uri}`] }) !== 'ok') return;
      permitted += 1;
      expect(new URL(uri).hostname).toBe('a.test');
    }),
    { numRuns: 400, examples: [['b.test@a.test:80/', 'https']] },
  );
  expect(permitted).toBeGreaterThan(0);
});

describe('name constraints on directory names', () => {
  it('hold for the subject', () => {
    expect(verdict({ permitted: ['dir:O=Acme'], names: [], subject: 'O=ACME/CN=x' })).toBe('ok');
    expect(verdict({ permitted: ['dir:O=Acme'], names: [], subject: 'O=Other/CN=x' })).toBe(
      'name-constraint',
    );
    expect(verdict({ excluded: ['dir:O=Acme'], names: [], subject: 'O=acme/CN=x' })).toBe('name-constraint');
    expect(verdict({ permitted: ['dir:O=Acme'], names: ['DNS:a.test'], subject: '' })).toBe('ok');
  });

  it('hold for alternative names', () => {
    expect(verdict({ permitted: ['dir:O=Acme'], names: ['dir:O=Acme/CN=y'], subject: '' })).toBe('ok');
    expect(verdict({ permitted: ['dir:O=Acme'], names: ['dir:O=Other'], subject: '' })).toBe(
      'name-constraint',
    );
  });
});

describe('name constraints', () => {
  it('on kinds of names that nobody can judge refuse such names, and only these', () => {
    expect(verdict({ excluded: ['other:x'], names: ['other:y'] })).toBe('name-constraint');
    expect(verdict({ permitted: ['other:x'], names: ['DNS:a.test'] })).toBe('ok');
  });

  it('hold for the CAs in between, but not for a change of key', () => {
    const root = issueCa({
      subject: 'CN=Root',
      extensions: [nameConstraints({ permitted: ['dir:O=Acme'] })],
    });
    const outside = issueCa({ subject: 'O=Other/CN=CA', issuer: root });
    expect(judged(issue({ subject: 'O=Acme/CN=x', issuer: outside }), root, outside)).toBe('name-constraint');
    const inside = issueCa({ subject: 'O=Acme/CN=CA', issuer: root });
    expect(judged(issue({ subject: 'O=Acme/CN=x', issuer: inside }), root, inside)).toBe('ok');
    const next = issueCa({
      subject: 'O=Acme/CN=CA',
      issuer: inside,
      extensions: [subjectAltName('dir:O=Other')],
    });
    expect(judged(issue({ subject: 'O=Acme/CN=x', issuer: next }), root, inside, next)).toBe('ok');
  });

  it('of several CAs hold together', () => {
    const root = issueCa({ subject: 'CN=Root', extensions: [nameConstraints({ permitted: ['DNS:test'] })] });
    const middle = issueCa({
      subject: 'CN=Middle',
      issuer: root,
      extensions: [nameConstraints({ permitted: ['DNS:a.test', 'DNS:org'] })],
    });
    const client = (name: string): string =>
      judged(issue({ subject: 'CN=x', issuer: middle, extensions: [subjectAltName(name)] }), root, middle);
    expect(client('DNS:x.a.test')).toBe('ok');
    expect(client('DNS:b.test')).toBe('name-constraint');
    expect(client('DNS:a.org')).toBe('name-constraint');
  });

  it('tell the name, the CA and what it permits', () => {
    const root = issueCa({
      subject: 'CN=Root',
      extensions: [nameConstraints({ permitted: ['DNS:a.test'] })],
    });
    const leaf = issueServer({ issuer: root, names: ['DNS:b.test'] });
    const result = verifyPathSync({ leaf: leaf.der, anchors: [root.der], at: now, usage: 'server' });
    expect(!result.ok && result.message).toBe(
      'certificate 1 of 2 (CN=server) carries DNS:b.test, which is outside of what is permitted (DNS:a.test) to its CA CN=Root',
    );
  });
});
