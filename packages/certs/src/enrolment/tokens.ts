/** Creating and withdrawing the tokens by which machines enrol at an authority server. */
import { checkOptions, number, string, texts, type OptionReaders } from '@knsock/core/options';
import { InvalidOptionError } from '@knsock/core/errors';
import { checkKind, type CertificateKind } from '../issuing/extensions.js';
import { parseNames } from '../issuing/names.js';
import { hashSecret, newSecret, type TokenSecret } from './token.js';
import { TokenJournal } from './token-journal.js';

/** What a token allows its holder to enrol. */
export interface TokenOptions {
  /** The names of the certificate, every one of them; what a request asks for beside them is refused. */
  readonly names: readonly string[];
  /** Default: the first name. */
  readonly commonName?: string | undefined;
  /** Default `client`. */
  readonly kind?: CertificateKind | undefined;
  /** Life of the certificate; default 1. */
  readonly days?: number | undefined;
  /** How long the token may be used, in ms; default 3,600,000. */
  readonly expiresIn?: number | undefined;
}

const readers: OptionReaders<TokenOptions> = {
  names: texts,
  commonName: string,
  kind: string,
  days: number,
  expiresIn: number,
};

/**
 * Creates a token for one certificate. The store keeps a hash: the secret is told here and never again.
 * @throws InvalidOptionError, CertificateError
 */
export async function createToken(directory: string, options: TokenOptions): Promise<TokenSecret> {
  checkOptions(options, readers);
  const { names, commonName, kind = 'client', days = 1, expiresIn = 3_600_000 } = options;
  checkKind(kind);
  if (parseNames(names).length === 0) throw new InvalidOptionError('names', 'a token needs a name at least');
  if (!(days > 0)) throw new InvalidOptionError('days', 'days must be more than 0');
  if (!(expiresIn > 0)) throw new InvalidOptionError('expiresIn', 'expiresIn must be more than 0');
  const token = newSecret();
  const journal = new TokenJournal(directory);
  const now = Date.now();
  await journal.exclusively(() =>
    journal.append({
      event: 'created',
      at: now,
      id: token.id,
      hash: hashSecret(token.secret),
      kind,
      names,
      commonName: commonName ?? names[0],
      days,
      expires: now + expiresIn,
    }),
  );
  return token;
}

/** Withdraws a token: nothing more is enrolled by it. What it enrolled stays valid. */
export async function withdrawToken(directory: string, id: string): Promise<void> {
  const journal = new TokenJournal(directory);
  await journal.exclusively(() => journal.append({ event: 'withdrawn', at: Date.now(), id }));
}
