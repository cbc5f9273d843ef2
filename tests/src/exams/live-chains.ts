/**
 * Chains in the manner of PKITS, of its sections 4.1 to 4.16, whose keys are ours: NIST keeps those of its suite, so
 * that no handshake can show its certificates. All are made now, because a handshake looks at the machine's clock.
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extension,
  generalName,
  integer,
  issue,
  issuingPoint,
  keyUsage,
  makeCrlDer,
  nameConstraints,
  octets,
  oid,
  sequence,
  subjectAltName,
  subjectKeyIdentifier,
  tlv,
  type CrlWish,
  type Made,
  type Wish,
} from '../x509/issue.js';

const day = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * day);

/** What a peer shows, and what it is judged by. */
export interface LiveChain {
  /** The peer's own first, the anchor's left out. */
  readonly shown: readonly Made[];
  readonly anchor: Made;
  /** DER; where there are any, every certificate but the anchor needs one. */
  readonly crls?: readonly Buffer[];
  /** Those that signed lists without being on the path. */
  readonly issuers?: readonly Made[];
}

export interface LiveCase {
  readonly section: `4.${number}`;
  readonly title: string;
  readonly valid: boolean;
  readonly make: () => LiveChain;
}

const dates = { notBefore: inDays(-10), notAfter: inDays(10) };

type CaWish = Partial<Wish> & { readonly pathLength?: number; readonly usage?: readonly number[] };

const root = (): Made => authority('CN=Root', undefined);

function authority(subject: string, issuer: Made | undefined, wish: CaWish = {}): Made {
  const { pathLength, usage = [5, 6], extensions = [], ...rest } = wish;
  const keyOf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = [
    basicConstraints(true, pathLength),
    ...(usage.length > 0 ? [keyUsage(...usage)] : []),
    subjectKeyIdentifier(keyIdentifier(keyOf)),
    ...(issuer === undefined ? [] : [authorityKeyIdentifier(keyIdentifier(issuer))]),
  ];
  const issued = { ...dates, subject, keyOf, ...(issuer && { issuer }), ...rest };
  return issue({ ...issued, extensions: [...own, ...extensions] });
}

/** Without these OpenSSL takes a self-issued certificate for a root. */
const keyIdentifier = ({ publicKey }: Pick<Made, 'publicKey'>): Buffer =>
  createHash('sha1')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest();

/** For both sides of a handshake. */
function endEntity(issuer: Made, { extensions = [], names = ['DNS:a.test'], ...rest }: LeafWish = {}): Made {
  return issue({
    ...dates,
    subject: 'O=Live/CN=end',
    issuer,
    ...rest,
    extensions: [
      keyUsage(0),
      extendedKeyUsage('server', 'client'),
      subjectAltName(...names),
      authorityKeyIdentifier(keyIdentifier(issuer)),
      ...extensions,
    ],
  });
}
type LeafWish = Partial<Wish> & { readonly names?: readonly string[] };

const list = (issuer: Made, { extensions = [], ...wish }: Partial<CrlWish> = {}): Buffer =>
  makeCrlDer({
    issuer,
    thisUpdate: inDays(-1),
    nextUpdate: inDays(1),
    ...wish,
    extensions: [authorityKeyIdentifier(keyIdentifier(issuer)), ...extensions],
  });

const revoked = (made: Made, reason?: number): NonNullable<CrlWish['revoked']>[number] => ({
  serial: BigInt(`0x${made.certificate.serial}`),
  date: inDays(-2),
  ...(reason !== undefined && { reason }),
});

// Extensions

const any = '2.5.29.32.0';
const gold = '1.3.6.1.4.1.55555.1';
const silver = '1.3.6.1.4.1.55555.2';
const policies = (...ids: readonly string[]): Buffer =>
  extension('2.5.29.32', sequence(...ids.map((id) => sequence(oid(id)))));
const constraints = (explicit: number | null, mapping: number | null = null): Buffer =>
  extension(
    '2.5.29.36',
    sequence(
      ...(explicit === null ? [] : [integer(explicit, 0x80)]),
      ...(mapping === null ? [] : [integer(mapping, 0x81)]),
    ),
    true,
  );
const inhibitAny = (count: number): Buffer => extension('2.5.29.54', integer(count), true);
const maps = (from: string, to: string): Buffer =>
  extension('2.5.29.33', sequence(sequence(oid(from), oid(to))), true);

const fullName = (url: string): Buffer => tlv(0xa0, tlv(0xa0, generalName(`URI:${url}`)));
/** Where a certificate's list lies, and who signs it. */
const pointsTo = (url: string | null, signer?: string): Buffer =>
  extension(
    '2.5.29.31',
    sequence(
      sequence(
        ...(url === null ? [] : [fullName(url)]),
        ...(signer === undefined ? [] : [tlv(0xa2, generalName(`dir:${signer}`))]),
      ),
    ),
  );
const onlyUsers = tlv(0x81, Buffer.of(0xff));
const onlyCas = tlv(0x82, Buffer.of(0xff));
/** Key compromise alone. */
const onlyKeyCompromise = tlv(0x83, Buffer.of(6, 0x40));
const isIndirect = tlv(0x84, Buffer.of(0xff));
const freshest = extension('2.5.29.46', sequence(sequence(fullName('http://lists.test/delta.crl'))));
const deltaOf = (number: number): Buffer => extension('2.5.29.27', integer(number), true);
const unknown = (critical: boolean): Buffer =>
  extension('1.3.6.1.4.1.55555.9', octets(Buffer.of(1)), critical);

// Chains

const straight = (leaf: LeafWish = {}, ca: CaWish = {}): LiveChain => {
  const anchor = root();
  const between = authority('CN=Between', anchor, ca);
  return { anchor, shown: [endEntity(between, leaf), between] };
};

/** A chain below CAs with these extensions, in the order of issuance. */
const below = (cas: readonly (readonly Buffer[])[], leaf: LeafWish = {}): LiveChain => {
  const anchor = root();
  const made: Made[] = [];
  for (const extensions of cas) {
    made.unshift(authority(`CN=CA ${made.length + 1}`, made[0] ?? anchor, { extensions }));
  }
  return { anchor, shown: [endEntity(made[0] ?? anchor, leaf), ...made] };
};

/** With lists of the root and of the CA. */
const listed = (
  lists: (parts: { anchor: Made; between: Made; leaf: Made }) => readonly Buffer[],
  leafWish: LeafWish = {},
  caWish: CaWish = {},
): LiveChain => {
  const chain = straight(leafWish, caWish);
  const [leaf, between] = chain.shown as [Made, Made];
  return { ...chain, crls: lists({ anchor: chain.anchor, between, leaf }) };
};

const damaged = ({ der, ...made }: Made): Made => {
  const copy = Buffer.from(der);
  copy[copy.length - 1]! ^= 1;
  return { ...made, der: copy };
};

/** The CA's new key, certified under its own name by the old one. */
const rolledOver = (revokes: boolean): LiveChain => {
  const anchor = root();
  const old = authority('CN=CA', anchor);
  const renewed = authority('CN=CA', old);
  const leaf = endEntity(renewed);
  const crls = [list(anchor), list(old), list(renewed, { revoked: revokes ? [revoked(leaf)] : [] })];
  return { anchor, shown: [leaf, renewed, old], crls };
};

const point = 'http://lists.test/a.crl';

/** A list that another authority signs for the CA. */
const delegated = (revokes: boolean): LiveChain => {
  const anchor = root();
  const between = authority('CN=Between', anchor);
  const signer = authority('CN=Lists', anchor, { usage: [6] });
  const leaf = endEntity(between, { extensions: [pointsTo(null, 'CN=Lists')] });
  // An entry names the issuer of the certificate where the list's own isn't meant.
  const issuerOfEntry = extension('2.5.29.29', sequence(tlv(0xa4, between.certificate.subject.der)), true);
  const entry = { ...revoked(leaf), extensions: [issuerOfEntry] };
  const indirect = list(signer, {
    extensions: [issuingPoint(isIndirect)],
    revoked: revokes ? [entry] : [],
  });
  return { anchor, shown: [leaf, between], crls: [list(anchor), indirect], issuers: [signer] };
};

const own = (crls: (leaf: Made, between: Made) => readonly Buffer[], leaf: LeafWish = {}): LiveChain =>
  listed(({ anchor, between, leaf: made }) => [list(anchor), ...crls(made, between)], leaf);

/** The certificate says where delta lists lie: OpenSSL takes them for such certificates alone. */
const delta: LeafWish = { extensions: [freshest] };

const ok = true;
const no = false;

export const liveCases: readonly LiveCase[] = (
  [
    ['4.1', 'good signatures', ok, () => straight()],
    [
      '4.1',
      'a bad signature of the CA',
      no,
      () => {
        const { anchor, shown } = straight();
        return { anchor, shown: [shown[0]!, damaged(shown[1]!)] };
      },
    ],
    [
      '4.1',
      'a bad signature of the end entity',
      no,
      () => {
        const { anchor, shown } = straight();
        return { anchor, shown: [damaged(shown[0]!), shown[1]!] };
      },
    ],
    [
      '4.2',
      'dates in the generalized form, after 2050',
      ok,
      () => straight({ notAfter: '2051-01-01T00:00:00Z' }),
    ],
    ['4.2', 'an end entity that has expired', no, () => straight({ notAfter: inDays(-1) })],
    ['4.2', "an end entity that isn't valid yet", no, () => straight({ notBefore: inDays(1) })],
    ['4.2', 'a CA that has expired', no, () => straight({}, { notAfter: inDays(-1) })],
    ['4.2', "a CA that isn't valid yet", no, () => straight({}, { notBefore: inDays(1) })],
    [
      '4.3',
      'names that differ in case and spaces',
      ok,
      () => {
        const { anchor, shown } = straight();
        const between = shown[1]!;
        return { anchor, shown: [endEntity({ ...between, subject: 'CN= bETWEEN  ' }), between] };
      },
    ],
    [
      '4.3',
      'an issuer of another name',
      no,
      () => {
        const { anchor, shown } = straight();
        const between = shown[1]!;
        return { anchor, shown: [endEntity({ ...between, subject: 'CN=Other' }), between] };
      },
    ],
    ['4.4', 'lists that revoke nothing', ok, () => own((_leaf, between) => [list(between)])],
    ['4.4', 'no list of the CA', no, () => own(() => [])],
    [
      '4.4',
      'a revoked CA',
      no,
      () => listed(({ anchor, between }) => [list(anchor, { revoked: [revoked(between)] }), list(between)]),
    ],
    [
      '4.4',
      'a revoked end entity',
      no,
      () => own((leaf, between) => [list(between, { revoked: [revoked(leaf)] })]),
    ],
    [
      '4.4',
      'a list with a bad signature',
      no,
      () =>
        own((_leaf, between) => {
          const bad = list(between);
          bad[bad.length - 1]! ^= 1;
          return [bad];
        }),
    ],
    [
      '4.4',
      'a list of another CA',
      no,
      () => own((_leaf, between) => [list({ ...between, subject: 'CN=Other' })]),
    ],
    [
      '4.4',
      'a list that is overdue',
      no,
      () => own((_leaf, between) => [list(between, { nextUpdate: inDays(-0.5) })]),
    ],
    [
      '4.4',
      'a list of the future',
      no,
      () => own((_leaf, between) => [list(between, { thisUpdate: inDays(0.5) })]),
    ],
    [
      '4.4',
      'a list with an unknown critical extension',
      no,
      () => own((_leaf, between) => [list(between, { extensions: [unknown(true)] })]),
    ],
    [
      '4.4',
      "a list with an entry of another's with an unknown critical extension",
      no,
      () =>
        own((_leaf, between) => [
          list(between, { revoked: [{ serial: 99, date: inDays(-2), extensions: [unknown(true)] }] }),
        ]),
    ],
    ['4.5', 'a new key of the CA, certified by the old', ok, () => rolledOver(false)],
    ['4.5', 'an end entity that the new key revokes', no, () => rolledOver(true)],
    [
      '4.5',
      'a new key of the CA, certified by nobody',
      no,
      () => {
        const { anchor, shown } = rolledOver(false);
        return { anchor, shown: [shown[0]!, shown[2]!] };
      },
    ],
    ['4.6', 'a path as long as its CA allows', ok, () => straight({}, { pathLength: 0 })],
    [
      '4.6',
      'a path that is longer than its CA allows',
      no,
      () => {
        const anchor = root();
        const one = authority('CN=One', anchor, { pathLength: 0 });
        const two = authority('CN=Two', one);
        return { anchor, shown: [endEntity(two), two, one] };
      },
    ],
    [
      '4.6',
      'a path that is longer by a self-issued certificate, which counts for nothing',
      ok,
      () => {
        const anchor = root();
        const one = authority('CN=One', anchor, { pathLength: 0 });
        const again = authority('CN=One', one);
        return { anchor, shown: [endEntity(again), again, one] };
      },
    ],
    [
      '4.6',
      'a CA without basic constraints',
      no,
      () => {
        const anchor = root();
        const between = issue({
          ...dates,
          subject: 'CN=Between',
          issuer: anchor,
          extensions: [keyUsage(5, 6)],
        });
        return { anchor, shown: [endEntity(between), between] };
      },
    ],
    [
      '4.6',
      'a CA whose basic constraints say that it is none',
      no,
      () => {
        const anchor = root();
        const extensions = [basicConstraints(false), keyUsage(5, 6)];
        const between = issue({ ...dates, subject: 'CN=Between', issuer: anchor, extensions });
        return { anchor, shown: [endEntity(between), between] };
      },
    ],
    ['4.7', 'a CA without a key usage', ok, () => straight({}, { usage: [] })],
    ['4.7', 'a CA that may not sign certificates', no, () => straight({}, { usage: [6] })],
    [
      '4.7',
      'a CA that may not sign lists',
      no,
      () => listed(({ anchor, between }) => [list(anchor), list(between)], {}, { usage: [5] }),
    ],
    [
      '4.8',
      'one policy all the way down, which a CA requires',
      ok,
      () => below([[policies(gold), constraints(0)], [policies(gold)]], { extensions: [policies(gold)] }),
    ],
    [
      '4.8',
      'any policy all the way down, where a CA requires one',
      ok,
      () => below([[policies(any), constraints(0)]], { extensions: [policies(silver)] }),
    ],
    [
      '4.8',
      'different policies, where a CA requires one',
      no,
      () => below([[policies(gold), constraints(0)], [policies(silver)]], { extensions: [policies(gold)] }),
    ],
    [
      '4.8',
      'different policies, where nobody requires any',
      ok,
      () => below([[policies(gold)], [policies(silver)]], { extensions: [policies(gold)] }),
    ],
    ['4.9', 'no policy, where one is required only further down', ok, () => below([[constraints(5)], []])],
    ['4.9', 'no policy, where one is required here', no, () => below([[constraints(1)], []])],
    ['4.9', 'no policy, where one is required at once', no, () => below([[constraints(0)]])],
    [
      '4.10',
      'a policy that the CA maps to another',
      ok,
      () => below([[policies(gold), constraints(0), maps(gold, silver)]], { extensions: [policies(silver)] }),
    ],
    [
      '4.10',
      'the policy that the CA has mapped away',
      no,
      () => below([[policies(gold), constraints(0), maps(gold, silver)]], { extensions: [policies(gold)] }),
    ],
    [
      '4.11',
      'a mapping that is still allowed',
      ok,
      () =>
        below(
          [
            [policies(gold), constraints(0, 1)],
            [policies(gold), maps(gold, silver)],
          ],
          { extensions: [policies(silver)] },
        ),
    ],
    [
      '4.11',
      'a mapping that is inhibited',
      no,
      () =>
        below(
          [
            [policies(gold), constraints(0, 0)],
            [policies(gold), maps(gold, silver)],
          ],
          { extensions: [policies(silver)] },
        ),
    ],
    [
      '4.12',
      'any policy, which is inhibited only further down',
      ok,
      () =>
        below([[policies(gold), constraints(0), inhibitAny(1)], [policies(any)]], {
          extensions: [policies(gold)],
        }),
    ],
    [
      '4.12',
      'any policy, which is inhibited',
      no,
      () =>
        below([[policies(gold), constraints(0), inhibitAny(0)], [policies(any)]], {
          extensions: [policies(gold)],
        }),
    ],
    [
      '4.13',
      'a DNS name that is permitted',
      ok,
      () => below([[nameConstraints({ permitted: ['DNS:test'] })]]),
    ],
    [
      '4.13',
      "a DNS name that isn't permitted",
      no,
      () => below([[nameConstraints({ permitted: ['DNS:b.test'] })]]),
    ],
    [
      '4.13',
      'a DNS name that is excluded',
      no,
      () => below([[nameConstraints({ excluded: ['DNS:a.test'] })]]),
    ],
    [
      '4.13',
      'a subject that is permitted',
      ok,
      () => below([[nameConstraints({ permitted: ['dir:O=Live'] })]]),
    ],
    [
      '4.13',
      "a subject that isn't permitted",
      no,
      () => below([[nameConstraints({ permitted: ['dir:O=Other'] })]]),
    ],
    [
      '4.13',
      'a DNS name that one CA permits and the next excludes',
      no,
      () =>
        below([
          [nameConstraints({ permitted: ['DNS:test'] })],
          [nameConstraints({ excluded: ['DNS:a.test'] })],
        ]),
    ],
    [
      '4.13',
      'an address beside a permitted name, excluded',
      no,
      () =>
        below([[nameConstraints({ permitted: ['DNS:test'], excluded: ['IP:0000000000000000'] })]], {
          names: ['DNS:a.test', 'IP:7f000001'],
        }),
    ],
    [
      '4.14',
      'a list of the named distribution point',
      ok,
      () =>
        own((_leaf, between) => [list(between, { extensions: [issuingPoint(fullName(point))] })], {
          extensions: [pointsTo(point)],
        }),
    ],
    [
      '4.14',
      'a list of another distribution point',
      no,
      () =>
        own((_leaf, between) => [list(between, { extensions: [issuingPoint(fullName(`${point}2`))] })], {
          extensions: [pointsTo(point)],
        }),
    ],
    [
      '4.14',
      'a list of the named distribution point that revokes',
      no,
      () =>
        own(
          (leaf, between) => [
            list(between, { extensions: [issuingPoint(fullName(point))], revoked: [revoked(leaf)] }),
          ],
          { extensions: [pointsTo(point)] },
        ),
    ],
    [
      '4.14',
      'a list for users',
      ok,
      () => own((_leaf, between) => [list(between, { extensions: [issuingPoint(onlyUsers)] })]),
    ],
    [
      '4.14',
      'a list for CAs alone',
      no,
      () => own((_leaf, between) => [list(between, { extensions: [issuingPoint(onlyCas)] })]),
    ],
    [
      '4.14',
      'a list for some reasons alone',
      no,
      () => own((_leaf, between) => [list(between, { extensions: [issuingPoint(onlyKeyCompromise)] })]),
    ],
    ['4.14', 'an indirect list', ok, () => delegated(false)],
    ['4.14', 'an indirect list that revokes', no, () => delegated(true)],
    [
      '4.15',
      'a delta list that revokes nothing',
      ok,
      () =>
        own(
          (_leaf, between) => [
            list(between, { number: 4 }),
            list(between, { number: 5, extensions: [deltaOf(4)] }),
          ],
          delta,
        ),
    ],
    [
      '4.15',
      'a delta list that revokes',
      no,
      () =>
        own(
          (leaf, between) => [
            list(between, { number: 4 }),
            list(between, { number: 5, extensions: [deltaOf(4)], revoked: [revoked(leaf, 1)] }),
          ],
          delta,
        ),
    ],
    [
      '4.15',
      'a delta list that lifts a hold',
      ok,
      () =>
        own(
          (leaf, between) => [
            list(between, { number: 4, revoked: [revoked(leaf, 6)] }),
            list(between, { number: 5, extensions: [deltaOf(4)], revoked: [revoked(leaf, 8)] }),
          ],
          delta,
        ),
    ],
    [
      '4.15',
      'a delta list without the complete one',
      no,
      () => own((_leaf, between) => [list(between, { number: 5, extensions: [deltaOf(4)] })], delta),
    ],
    ['4.16', 'an unknown extension', ok, () => straight({ extensions: [unknown(false)] })],
    ['4.16', 'an unknown critical extension', no, () => straight({ extensions: [unknown(true)] })],
    [
      '4.16',
      'an unknown critical extension of the CA',
      no,
      () => straight({}, { extensions: [unknown(true)] }),
    ],
  ] as const satisfies readonly (readonly [LiveCase['section'], string, boolean, LiveCase['make']])[]
).map(([section, title, valid, make]) => ({ section, title, valid, make }));
