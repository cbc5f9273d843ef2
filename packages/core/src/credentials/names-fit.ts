import { CredentialsError } from '../errors/index.js';
import type { Credentials } from './credentials.js';

/** A handshake names every CA to the client in a list whose length has two bytes (RFC 8446 4.2.4, RFC 5246 7.4.4). */
const MOST_NAME_BYTES = 65_535;

/** For servers that ask for client certificates. @throws CredentialsError 'unsupported' */
export function requireNamesFit({ anchors }: Pick<Credentials, 'anchors'>): void {
  if (anchors === null) return;
  const bytes = anchors.reduce((sum, { subject }) => sum + 2 + subject.der.length, 0);
  if (bytes <= MOST_NAME_BYTES) return;
  const [count, size] = [anchors.length.toLocaleString('en'), bytes.toLocaleString('en')];
  const limit = MOST_NAME_BYTES.toLocaleString('en');
  throw new CredentialsError(
    'unsupported',
    `the names of the ${count} CAs take ${size} bytes; a handshake holds ${limit} of them, so that no client could connect`,
    {
      hint: "Put only the CAs that issue client certificates into caFile (--ca); a bundle of public CAs admits clients that you don't know.",
    },
  );
}
