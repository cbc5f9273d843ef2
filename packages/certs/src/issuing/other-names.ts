/** Names in requests of kinds that aren't issued here, as readable text, so that people see what is refused. */
import { readSubject, subjectText } from './subject.js';
import type { GeneralName } from '../x509.js';

const known: Readonly<Record<string, string>> = {
  '1.3.6.1.4.1.311.20.2.3': 'user principal name',
  '1.3.6.1.4.1.311.25.1': 'domain controller GUID',
  '1.3.6.1.5.2.2': 'Kerberos principal',
  '1.3.6.1.5.5.7.8.5': 'XMPP address',
  '1.3.6.1.5.5.7.8.7': 'SRV name',
  '1.3.6.1.5.5.7.8.9': 'international mailbox',
};

/** "otherName 1.3.6.1.4.1.311.20.2.3 (user principal name): alice@corp.example", "directory name: commonName=alice" … */
export function otherNameText(name: GeneralName): string {
  const { otherName, directoryName, registeredID } = name;
  if (directoryName !== undefined) return `directory name: ${subjectText(readSubject(directoryName))}`;
  if (registeredID !== undefined) return `registered ID ${registeredID}`;
  if (otherName === undefined) return name.ediPartyName === undefined ? 'X.400 address' : 'EDI party name';
  const { typeId } = otherName;
  const words = known[typeId] === undefined ? '' : ` (${known[typeId]})`;
  const value = textIn(Buffer.from(otherName.value));
  return `otherName ${typeId}${words}${value === undefined ? '' : `: ${value}`}`;
}

const EXPLICIT = 0xa0;
/** UTF8String, PrintableString and IA5String: the string types of these names. */
const TEXTS: ReadonlySet<number | undefined> = new Set([0x0c, 0x13, 0x16]);

/** The text of a value, with or without an explicit tag around it; undefined if it isn't text. */
function textIn(der: Buffer): string | undefined {
  const inner = der[0] === EXPLICIT ? contentOf(der) : der;
  return TEXTS.has(inner?.[0]) ? contentOf(inner)?.toString('utf8') : undefined;
}

/** The content of an element of fewer than 128 bytes; names are short. */
function contentOf(der: Buffer = Buffer.alloc(0)): Buffer | undefined {
  const length = der[1] ?? 0x80;
  return length < 0x80 && der.length === length + 2 ? der.subarray(2) : undefined;
}
