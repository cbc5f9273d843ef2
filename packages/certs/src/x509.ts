/**
 * The only file that imports the X.509 library, and only when a certificate is made: loading it takes about
 * 100 ms, which a program that only reads certificates shouldn't pay.
 *
 * Only the ASN.1 schemas are used. Keys and signatures are node:crypto's: its KeyObjects are generated many times
 * faster than WebCrypto's, and Ed25519 in WebCrypto prints a warning on Node 20.
 */
import { lstatSync } from 'node:fs';

type Schemas = typeof import('@peculiar/asn1-x509');
type RequestSchemas = typeof import('@peculiar/asn1-csr');
type Conversion = Pick<
  typeof import('@peculiar/asn1-schema'),
  'AsnConvert' | 'AsnProp' | 'AsnPropTypes' | 'OctetString'
>;

/** Schema classes of RFC 5280 and RFC 2986 with their encoder. */
export type X509Library = Schemas & RequestSchemas & Conversion & Encoder;
export type Extension = InstanceType<Schemas['Extension']>;
export type GeneralName = InstanceType<Schemas['GeneralName']>;
export type DistinguishedName = InstanceType<Schemas['Name']>;
export type AlgorithmIdentifier = InstanceType<Schemas['AlgorithmIdentifier']>;

interface Encoder {
  /** DER of a schema object. */
  encode(value: unknown): Buffer;
}

type Pkcs12Schemas = typeof import('@peculiar/asn1-pfx') &
  Pick<typeof import('@peculiar/asn1-pkcs8'), 'EncryptedPrivateKeyInfo' | 'EncryptedData'> &
  Pick<typeof import('@peculiar/asn1-cms'), 'ContentInfo' | 'EncryptedContentInfo' | 'EncryptedContent'>;

/** Schema classes of RFC 7292 beside the others. */
export type Pkcs12Library = X509Library & Pkcs12Schemas;

let library: Promise<X509Library> | undefined;

let pkcs12: Promise<Pkcs12Library> | undefined;

/** The schema library, loaded at the first call and kept. */
export function x509Library(): Promise<X509Library> {
  return (library ??= load());
}

/** The same with what PKCS#12 and encrypted keys need. */
export function pkcs12Library(): Promise<Pkcs12Library> {
  return (pkcs12 ??= loadPkcs12());
}

/**
 * Imports a package. Node looks up the place of a module behind a symlink (pnpm's) by a realpath that ends early
 * where the last synchronous stat of the process was of a FIFO or a socket, as a standard input often is. The module would
 * be loaded a second time then, and neither copy has the schemas of the other.
 */
function imported<T>(load: () => Promise<T>): Promise<T> {
  lstatSync('/');
  return load();
}

async function loadPkcs12(): Promise<Pkcs12Library> {
  const own = await x509Library();
  const pfx = await imported(() => import('@peculiar/asn1-pfx'));
  const { EncryptedPrivateKeyInfo, EncryptedData } = await imported(() => import('@peculiar/asn1-pkcs8'));
  const { ContentInfo, EncryptedContentInfo, EncryptedContent } = await imported(
    () => import('@peculiar/asn1-cms'),
  );
  return {
    ...own,
    ...pfx,
    EncryptedPrivateKeyInfo,
    EncryptedData,
    ContentInfo,
    EncryptedContentInfo,
    EncryptedContent,
  };
}

async function load(): Promise<X509Library> {
  const conversion = await imported(() => import('@peculiar/asn1-schema'));
  const schemas = await imported(() => import('@peculiar/asn1-x509'));
  const requests = await imported(() => import('@peculiar/asn1-csr'));
  const encode = (value: unknown) => Buffer.from(conversion.AsnConvert.serialize(value));
  return { ...schemas, ...requests, ...conversion, encode };
}

/** The bytes alone, as the schemas want them: a Buffer's own memory may hold its neighbours' as well. */
export function arrayBufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
