/** The certificate that answers a validation by tls-alpn-01 (RFC 8737 §3): self-signed, with a digest of the answer. */
import { createHash } from 'node:crypto';
import type { AlpnChallenge } from '@knsock/core';
import { publicHalf } from '@knsock/core/x509';
import { toPem } from '../files/pem.js';
import { signCertificate } from '../issuing/certificate.js';
import { extension, subjectAlternativeName } from '../issuing/extensions.js';
import { randomSerial } from '../issuing/serial.js';
import { buildSubject } from '../issuing/subject.js';
import { generateKey, privateKeyPem } from '../keys/keys.js';
import { keyAtHand } from '../keys/signer.js';
import { arrayBufferOf, x509Library } from '../x509.js';
import type { Identifier } from './identifier.js';

const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';
const DAY = 86_400_000;

/** @param authorization the key authorization of the challenge */
export async function alpnCertificate(
  { type, value }: Identifier,
  authorization: string,
): Promise<AlpnChallenge> {
  const library = await x509Library();
  const key = await generateKey('p256');
  const digest = createHash('sha256').update(authorization).digest();
  const subject = buildSubject(library, { commonName: 'ACME challenge' });
  const now = Date.now();
  const der = await signCertificate(
    library,
    {
      serial: randomSerial(),
      subject,
      issuer: subject,
      validity: { notBefore: new Date(now - DAY), notAfter: new Date(now + DAY) },
      publicKey: publicHalf(key),
      extensions: [
        subjectAlternativeName(library, [{ kind: type, value }], false),
        extension(library, ACME_IDENTIFIER, true, new library.OctetString(arrayBufferOf(digest))),
      ],
    },
    keyAtHand(key),
  );
  return { cert: toPem('CERTIFICATE', der), key: privateKeyPem(key) };
}
