import { MalformedDerError } from '../../errors/malformed-der.js';
import { CredentialsError } from '../../errors/security.js';
import { definiteLengths } from '../formats/ber.js';
import { DerReader } from '../der.js';

type ProblemReason = 'malformed' | 'unsupported' | 'passphrase';

/** What keeps a file closed, as the end of a sentence; the reader of the whole file knows what the sentence begins with. */
export class FileProblem extends Error {
  readonly reason: ProblemReason;
  readonly hint: string | undefined;

  constructor(reason: ProblemReason, problem: string, details: { cause?: unknown; hint?: string } = {}) {
    super(problem, details.cause === undefined ? {} : { cause: details.cause });
    this.reason = reason;
    this.hint = details.hint;
  }
}

/** Bytes that break their format's syntax; `problem` completes "the PKCS#12 file …" or "the private key …". */
export const malformed = (problem: string, cause?: unknown): FileProblem =>
  new FileProblem('malformed', problem, { cause });

/** The file asks for what isn't offered here; the hint says what to do. */
export const unsupported = (problem: string, details: { cause?: unknown; hint?: string } = {}): FileProblem =>
  new FileProblem('unsupported', problem, details);

/** The passphrase, or the lack of one, doesn't open the file. */
export const wrongPassphrase = (problem: string): FileProblem => new FileProblem('passphrase', problem);

/** The same with its subject. */
export function asCredentialsError(subject: string, error: unknown): unknown {
  if (!(error instanceof FileProblem)) return error;
  const { reason, message, hint, cause } = error;
  return new CredentialsError(reason, `${subject} ${message}`, {
    cause,
    ...(hint !== undefined && { hint }),
  });
}

/**
 * Reads a part of a file to its last byte; BER, as NSS, Windows and old Java write it, is read where DER alone isn't enough.
 * @throws FileProblem 'malformed' in place of MalformedDerError
 */
export function decode<T>(bytes: Buffer, what: string, read: (reader: DerReader) => T): T {
  try {
    return readAll(bytes, what, read);
  } catch (error) {
    if (!(error instanceof MalformedDerError)) throw error;
    const der = definiteLengths(bytes);
    if (der === undefined) throw malformed(`can't be read: in its ${what}, ${error.message}`, error);
    try {
      return readAll(der, what, read);
    } catch (again) {
      if (!(again instanceof MalformedDerError)) throw again;
      throw malformed(`can't be read: in its ${what}, ${again.message}`, again);
    }
  }
}

function readAll<T>(bytes: Buffer, what: string, read: (reader: DerReader) => T): T {
  const reader = new DerReader(bytes);
  const value = read(reader);
  reader.finish(what);
  return value;
}
