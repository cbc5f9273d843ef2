import { contextTag, Tag, type DerReader } from './der.js';
import { readIa5String } from './directory-string.js';
import { showIp } from './ip-address.js';
import { readName, type DistinguishedName } from './name.js';

/** One name of a subject alternative name or of a constraint (RFC 5280 4.2.1.6). */
export type GeneralName =
  | { readonly kind: 'dns' | 'email' | 'uri'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: string; readonly bytes: Buffer }
  | { readonly kind: 'directory'; readonly value: DistinguishedName }
  | { readonly kind: 'other' | 'x400' | 'ediParty' | 'registeredId'; readonly value: Buffer };

/** How many bytes an IP address has: in a name itself, or with the mask of a constraint. */
export type IpForm = 'address' | 'subnet';

const ipSizes = { address: [4, 16], subnet: [8, 32] } as const;

/** Reads GeneralNames: one or more. */
export function readGeneralNames(reader: DerReader, what: string, tag: number = Tag.sequence): GeneralName[] {
  const sequence = reader.enter(tag, what);
  if (sequence.isDone) sequence.fail(`${what} is empty`);
  const names: GeneralName[] = [];
  while (!sequence.isDone) names.push(readGeneralName(sequence, what, 'address'));
  return names;
}

/** Reads the next GeneralName. */
export function readGeneralName(reader: DerReader, what: string, ipForm: IpForm): GeneralName {
  const tag = reader.nextTag;
  switch (tag) {
    case contextTag(1, 'primitive'):
      return { kind: 'email', value: readIa5String(reader, what, tag) };
    case contextTag(2, 'primitive'):
      return { kind: 'dns', value: readIa5String(reader, what, tag) };
    case contextTag(4, 'constructed'):
      return { kind: 'directory', value: readDirectoryName(reader.enter(tag, what), what) };
    case contextTag(6, 'primitive'):
      return { kind: 'uri', value: readIa5String(reader, what, tag) };
    case contextTag(7, 'primitive'):
      return readIp(reader, what, ipForm);
    default:
      return { kind: opaqueKind(reader, what), value: reader.element(what) };
  }
}

/** Whether two names are the same one: directory names as RFC 5280 7.1 says, all others to the letter. */
export function isSameName(one: GeneralName, other: GeneralName): boolean {
  if (one.kind !== other.kind) return false;
  if (one.kind === 'directory') return one.value.equals(other.value as DistinguishedName);
  return Buffer.isBuffer(one.value) ? one.value.equals(other.value as Buffer) : one.value === other.value;
}

/** The name as people write it, kind first: `DNS:example.com`. */
export function showGeneralName(name: GeneralName): string {
  switch (name.kind) {
    case 'dns':
    case 'uri':
      return `${name.kind.toUpperCase()}:${JSON.stringify(name.value).slice(1, -1)}`;
    case 'email':
      return `email:${JSON.stringify(name.value).slice(1, -1)}`;
    case 'ip':
      return `IP:${name.value}`;
    case 'directory':
      return `directory name ${name.value.toString()}`;
    default:
      return `a name of kind ${name.kind}`;
  }
}

function readDirectoryName(reader: DerReader, what: string): DistinguishedName {
  const name = readName(reader, what);
  reader.finish(what);
  return name;
}

function readIp(reader: DerReader, what: string, form: IpForm): GeneralName {
  const bytes = reader.content(contextTag(7, 'primitive'), what);
  const [small, large] = ipSizes[form];
  if (bytes.length !== small && bytes.length !== large) {
    reader.fail(`${what} has an IP address of ${bytes.length} bytes instead of ${small} or ${large}`);
  }
  return { kind: 'ip', value: form === 'address' ? showIp(bytes) : showSubnet(bytes), bytes };
}

function showSubnet(bytes: Buffer): string {
  const half = bytes.length / 2;
  return `${showIp(bytes.subarray(0, half))}/${showIp(bytes.subarray(half))}`;
}

function opaqueKind(reader: DerReader, what: string): 'other' | 'x400' | 'ediParty' | 'registeredId' {
  switch (reader.nextTag) {
    case contextTag(0, 'constructed'):
      return 'other';
    case contextTag(3, 'constructed'):
      return 'x400';
    case contextTag(5, 'constructed'):
      return 'ediParty';
    case contextTag(8, 'primitive'):
      return 'registeredId';
    default:
      return reader.fail(`${what} has a name of no known kind`);
  }
}
