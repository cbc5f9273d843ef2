/**
 * The enrolment token: one word with the authority's address, its root's fingerprint and the secret. It has no
 * characters at which a shell or a terminal's double click would split it.
 */
import { CertificateError } from '../errors.js';
import type { CertificateKind } from '../issuing/extensions.js';
import type { KnownAuthority } from './known-authority.js';
import type { TokenSecret } from './token.js';

/** A token with everything its holder needs. */
export interface EnrolmentToken extends KnownAuthority, TokenSecret {
  /** What its certificates are for. */
  readonly kind: CertificateKind;
  /** The names that the certificate will carry. */
  readonly names: readonly string[];
}

const PREFIX = 'knsock1.';
const LONGEST = 16_384;

/** The token as text. */
export function formatToken({ address, root, id, secret, kind, names }: EnrolmentToken): string {
  const fields = [address, Buffer.from(root, 'hex').toString('base64url'), id, secret, kind, ...names];
  return PREFIX + Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/**
 * Parses a token; surrounding white space is ignored. The secret is in no message.
 * @throws CertificateError `KNSOCK_CERTIFICATE_TOKEN` for text that is no token, or a truncated one.
 */
export function parseToken(text: string): EnrolmentToken {
  const word = text.trim();
  if (!word.startsWith(PREFIX)) throw refuse(`a token begins with "${PREFIX}"`);
  if (word.length > LONGEST) throw refuse(`it has ${word.length} characters, over the limit of ${LONGEST}`);
  const fields = fieldsOf(word.slice(PREFIX.length));
  const [address = '', root = '', id = '', secret = '', kind = '', ...names] = fields;
  const digest = Buffer.from(root, 'base64url');
  const isWhole =
    /^(\[[0-9a-f:.]+\]|[^:/@\s]+):\d{1,5}$/i.test(address) &&
    digest.length === 32 &&
    /^[0-9a-f]{16}$/.test(id) &&
    /^[\w-]{22,}$/.test(secret) &&
    isKind(kind);
  if (!isWhole) throw refuse('it is damaged');
  return { address, root: digest.toString('hex'), id, secret, kind, names };
}

function fieldsOf(encoded: string): string[] {
  if (!/^[\w-]+$/.test(encoded)) throw refuse('it has characters that no token has');
  try {
    const fields: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    if (Array.isArray(fields) && fields.every((field) => typeof field === 'string')) return fields;
  } catch {
    // The parser's message would quote the text, including the secret.
  }
  throw refuse('it is cut short or damaged');
}

function isKind(kind: string): kind is CertificateKind {
  return kind === 'server' || kind === 'client' || kind === 'peer';
}

function refuse(why: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_TOKEN', `that is no enrolment token: ${why}`);
}
