/** A PKCS#12 file with several keys, as Java's keytool writes them; without a MAC and in the clear. */
import { createPrivateKey } from 'node:crypto';
import { parseCertificates } from '@knsock/core/x509';
import { integer, octets, oid, sequence, tlv } from '../x509/issue.js';

const DATA = '1.2.840.113549.1.7.1';
const KEY_BAG = '1.2.840.113549.1.12.10.1.1';
const CERT_BAG = '1.2.840.113549.1.12.10.1.3';
const X509 = '1.2.840.113549.1.9.22.1';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';

/** Its keys in this order, each by its friendly name; `chain` is PEM, the key's own certificate first. */
export function severalKeys(
  entries: Readonly<Record<string, { readonly chain: string; readonly key: string }>>,
): Buffer {
  const bags = Object.entries(entries).flatMap(([name, { chain, key }], index) => {
    const id = octets(Buffer.of(index + 1));
    const attributes = tlv(0x31, attribute(FRIENDLY_NAME, bmp(name)), attribute(LOCAL_KEY_ID, id));
    const pkcs8 = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
    const [leaf, ...others] = parseCertificates(chain).map(({ der }) =>
      tlv(0xa0, sequence(oid(X509), tlv(0xa0, octets(der)))),
    ) as [Buffer, ...Buffer[]];
    return [
      sequence(oid(KEY_BAG), tlv(0xa0, pkcs8), attributes),
      sequence(oid(CERT_BAG), leaf, attributes),
      ...others.map((other) => sequence(oid(CERT_BAG), other)),
    ];
  });
  return sequence(integer(3), contentInfo(sequence(contentInfo(sequence(...bags)))));
}

const contentInfo = (content: Buffer): Buffer => sequence(oid(DATA), tlv(0xa0, octets(content)));
const attribute = (id: string, value: Buffer): Buffer => sequence(oid(id), tlv(0x31, value));
const bmp = (text: string): Buffer => tlv(0x1e, Buffer.from(text, 'utf16le').swap16());
