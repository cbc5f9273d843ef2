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
export const inDays = (days: number): Date => new Date(Date.now() + days * day);

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

/** A section of PKITS, what the chain shows, whether it is valid, and how it is made. */
export type LiveRow = readonly [section: `4.${number}`, title: string, valid: boolean, make: () => LiveChain];

/** What a row says of its chain. */
export const ok = true;
export const no = false;

export const dates = { notBefore: inDays(-10), notAfter: inDays(10) };

type CaWish = Partial<Wish> & { readonly pathLength?: number; readonly usage?: readonly number[] };

export const root = (): Made => authority('CN=Root', undefined);

export function authority(subject: string, issuer: Made | undefined, wish: CaWish = {}): Made {
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
export function endEntity(
  issuer: Made,
  { extensions = [], names = ['DNS:a.test'], ...rest }: LeafWish = {},
): Made {
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

export const list = (issuer: Made, { extensions = [], ...wish }: Partial<CrlWish> = {}): Buffer =>
  makeCrlDer({
    issuer,
    thisUpdate: inDays(-1),
    nextUpdate: inDays(1),
    ...wish,
    extensions: [authorityKeyIdentifier(keyIdentifier(issuer)), ...extensions],
  });

export const revoked = (made: Made, reason?: number): NonNullable<CrlWish['revoked']>[number] => ({
  serial: BigInt(`0x${made.certificate.serial}`),
  date: inDays(-2),
  ...(reason !== undefined && { reason }),
});

// Extensions

export const any = '2.5.29.32.0';
export const gold = '1.3.6.1.4.1.55555.1';
export const silver = '1.3.6.1.4.1.55555.2';
export const policies = (...ids: readonly string[]): Buffer =>
  extension('2.5.29.32', sequence(...ids.map((id) => sequence(oid(id)))));
export const constraints = (explicit: number | null, mapping: number | null = null): Buffer =>
  extension(
    '2.5.29.36',
    sequence(
      ...(explicit === null ? [] : [integer(explicit, 0x80)]),
      ...(mapping === null ? [] : [integer(mapping, 0x81)]),
    ),
    true,
  );
export const inhibitAny = (count: number): Buffer => extension('2.5.29.54', integer(count), true);
export const maps = (from: string, to: string): Buffer =>
  extension('2.5.29.33', sequence(sequence(oid(from), oid(to))), true);

export const fullName = (url: string): Buffer => tlv(0xa0, tlv(0xa0, generalName(`URI:${url}`)));
/** Where a certificate's list lies, and who signs it. */
export const pointsTo = (url: string | null, signer?: string): Buffer =>
  extension(
    '2.5.29.31',
    sequence(
      sequence(
        ...(url === null ? [] : [fullName(url)]),
        ...(signer === undefined ? [] : [tlv(0xa2, generalName(`dir:${signer}`))]),
      ),
    ),
  );
export const onlyUsers = tlv(0x81, Buffer.of(0xff));
export const onlyCas = tlv(0x82, Buffer.of(0xff));
/** Key compromise alone. */
export const onlyKeyCompromise = tlv(0x83, Buffer.of(6, 0x40));
const isIndirect = tlv(0x84, Buffer.of(0xff));
const freshest = extension('2.5.29.46', sequence(sequence(fullName('http://lists.test/delta.crl'))));
export const deltaOf = (number: number): Buffer => extension('2.5.29.27', integer(number), true);
export const unknown = (critical: boolean): Buffer =>
  extension('1.3.6.1.4.1.55555.9', octets(Buffer.of(1)), critical);

// Chains

export const straight = (leaf: LeafWish = {}, ca: CaWish = {}): LiveChain => {
  const anchor = root();
  const between = authority('CN=Between', anchor, ca);
  return { anchor, shown: [endEntity(between, leaf), between] };
};

/** A chain below CAs with these extensions, in the order of issuance. */
export const below = (cas: readonly (readonly Buffer[])[], leaf: LeafWish = {}): LiveChain => {
  const anchor = root();
  const made: Made[] = [];
  for (const extensions of cas) {
    made.unshift(authority(`CN=CA ${made.length + 1}`, made[0] ?? anchor, { extensions }));
  }
  return { anchor, shown: [endEntity(made[0] ?? anchor, leaf), ...made] };
};

/** With lists of the root and of the CA. */
export const listed = (
  lists: (parts: { anchor: Made; between: Made; leaf: Made }) => readonly Buffer[],
  leafWish: LeafWish = {},
  caWish: CaWish = {},
): LiveChain => {
  const chain = straight(leafWish, caWish);
  const [leaf, between] = chain.shown as [Made, Made];
  return { ...chain, crls: lists({ anchor: chain.anchor, between, leaf }) };
};

export const damaged = ({ der, ...made }: Made): Made => {
  const copy = Buffer.from(der);
  copy[copy.length - 1]! ^= 1;
  return { ...made, der: copy };
};

/** The CA's new key, certified under its own name by the old one. */
export const rolledOver = (revokes: boolean): LiveChain => {
  const anchor = root();
  const old = authority('CN=CA', anchor);
  const renewed = authority('CN=CA', old);
  const leaf = endEntity(renewed);
  const crls = [list(anchor), list(old), list(renewed, { revoked: revokes ? [revoked(leaf)] : [] })];
  return { anchor, shown: [leaf, renewed, old], crls };
};

export const point = 'http://lists.test/a.crl';

/** A list that another authority signs for the CA. */
export const delegated = (revokes: boolean): LiveChain => {
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

export const own = (crls: (leaf: Made, between: Made) => readonly Buffer[], leaf: LeafWish = {}): LiveChain =>
  listed(({ anchor, between, leaf: made }) => [list(anchor), ...crls(made, between)], leaf);

/** The certificate says where delta lists lie: OpenSSL takes them for such certificates alone. */
export const delta: LeafWish = { extensions: [freshest] };
