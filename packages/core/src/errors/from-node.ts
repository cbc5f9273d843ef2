/**
 * The only translator of what Node and OpenSSL raise into knsock's errors.
 */
import { looksLikeContents } from './contents.js';
import { EasySocketError } from './base.js';
import {
  ConnectionClosedError,
  ConnectionError,
  ConnectionRefusedError,
  PortInUseError,
} from './connection.js';
import { fromTls, isBrokenOff, refusalByAlert, type HandshakeProgress } from './from-openssl.js';
import { CLIENT_LEFT } from './client-left.js';
import { CredentialsError, HandshakeError } from './security.js';
import type { HandshakeOffer } from './evidence.js';

type NodeError = Error & { code?: string; syscall?: string; hostname?: string };

/** What was being reached, for the sentence. */
export interface Target {
  /** Such as `db.internal:5433`, or a socket's path. */
  readonly address: string;
  /** Whether that is a Unix socket's path. */
  readonly onPath?: boolean;
  /** What this side offered, where a handshake is concerned. */
  readonly offer?: HandshakeOffer;
  /** How far a client's handshake came. */
  readonly progress?: HandshakeProgress;
}

/** The fix where the code's own hint, about hosts and ports, would mislead. */
const hints = {
  absent: 'Is the server running, and is this the path of its socket?',
  deaf: 'Is the server running? One that was killed leaves the file of its socket behind.',
  shut: "Does the mode of the socket's file, or of a folder above it, keep this user out?",
  barred: 'Does a firewall or a sandbox of this machine forbid it?',
  taken: 'Stop the program that listens there; where it was killed, delete the file that it left behind.',
  live: 'Stop the program that listens there, or choose another path.',
  left: "Delete the file, and start again. It isn't deleted for you: another program that starts now may listen there a moment later.",
  file: 'Choose another path, or move the file away.',
  listenHost: "host is an address of this machine, or a name that resolves to one; '::' is all of them.",
  unwritable: 'Does the folder of the socket exist, and may this user write there?',
};

/** Where a file is readable for this user, and is no certificate, key or list. */
const fileHints: Readonly<Record<string, string>> = {
  EISDIR: 'Give the path of a file in that folder.',
  EFBIG: 'Is that the right file? None of certificates, keys or lists is that large.',
  ETIMEDOUT: 'Does a program write to this pipe? Start it first, or give the path of a file.',
  EFTYPE: 'Write the contents into a file, and give its path.',
  EMFILE: 'Raise the limit (ulimit -n).',
  ELOOP: 'Links there lead to each other; make one of them lead to the file.',
};

/** What the system says in other words. */
const fileWords: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'it is a link that leads back to itself',
  EMFILE: 'the process has as many files open as it may',
  ENFILE: 'the system has as many files open as it may',
  ESTALE: 'its network folder was mounted anew',
};

/**
 * A failure of an established connection.
 * @param peer the other end's address
 */
export function fromConnection(
  error: Error,
  side: 'client' | 'server',
  peer = side === 'client' ? 'the server' : 'the client',
): EasySocketError {
  if (error instanceof EasySocketError) return error;
  const refusal = side === 'client' ? refusalByAlert(error, peer) : null;
  if (refusal !== null) return refusal;
  const { code = '' } = error as NodeError;
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') {
    return new ConnectionError('KNSOCK_CONNECTION_RESET', `${peer} cut the connection`, { cause: error });
  }
  if (isBrokenOff(error)) {
    const message = `${peer} broke the connection off by a TLS alert, as where its program failed`;
    return new ConnectionError('KNSOCK_CONNECTION_RESET', message, { cause: error });
  }
  const handshake = fromTls(error, { peer });
  if (handshake !== null) return handshake;
  if (code === 'ERR_STREAM_DESTROYED' || code === 'ERR_STREAM_WRITE_AFTER_END') {
    return new ConnectionClosedError('unknown', `the connection with ${peer} is closed`, { cause: error });
  }
  return new ConnectionError(
    'KNSOCK_CONNECTION_FAILED',
    `the connection with ${peer} failed: ${error.message}`,
    {
      cause: error,
    },
  );
}

/** A failure to reach a host. */
export function fromDial(error: Error, { address, onPath = false }: Target): EasySocketError {
  if (error instanceof EasySocketError) return error;
  const { code = '', hostname, syscall } = error as NodeError;
  // The resolver has further codes, such as EINVAL for a name that is too long for DNS.
  switch (syscall === 'getaddrinfo' ? 'ENOTFOUND' : code) {
    case 'ECONNREFUSED':
      return new ConnectionRefusedError(`nothing listens at ${address}`, {
        cause: error,
        ...(onPath && { hint: hints.deaf }),
      });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return new ConnectionError(
        'KNSOCK_HOST_NOT_FOUND',
        `the host name ${hostname ?? address} can't be resolved (${code})`,
        {
          cause: error,
          retryable: code === 'EAI_AGAIN',
        },
      );
    case 'ENOENT':
      return new ConnectionRefusedError(`there is no socket at ${address}`, {
        cause: error,
        hint: hints.absent,
      });
    case 'EACCES':
    case 'EPERM':
      return new ConnectionError('KNSOCK_PERMISSION_DENIED', `connecting to ${address} isn't permitted`, {
        cause: error,
        hint: onPath ? hints.shut : hints.barred,
      });
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return new ConnectionError('KNSOCK_NETWORK_UNREACHABLE', `no network leads to ${address} (${code})`, {
        cause: error,
      });
    default:
      return new ConnectionError(
        'KNSOCK_CONNECTION_FAILED',
        `connecting to ${address} failed: ${error.message}`,
        { cause: error },
      );
  }
}

/** A failure of the handshake; `side` is whose error it is. */
export function fromHandshake(
  error: Error,
  side: 'client' | 'server',
  { address, offer, progress }: Target,
): EasySocketError {
  if (error instanceof EasySocketError) return error;
  const refusal = side === 'client' ? refusalByAlert(error, address, progress) : null;
  if (refusal !== null) return refusal;
  const { code = '' } = error as NodeError;
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    const who = side === 'client' ? `${address} ended` : `the client ${address} ended`;
    return new HandshakeError('disconnected', `${who} the connection during the TLS handshake`, {
      cause: error,
      offer,
      ...(side === 'server' && { hint: CLIENT_LEFT }),
    });
  }
  return (
    fromTls(error, { peer: address, offer }) ??
    new HandshakeError('other', `the TLS handshake with ${address} failed: ${error.message}`, {
      cause: error,
      offer,
    })
  );
}

/** What stands at the path of a Unix socket: a program listens there, the socket of one that is gone, or another file. */
export type PathHolder = 'listener' | 'nobody' | 'file';

const holders: Readonly<Record<PathHolder, readonly [words: string, hint: string]>> = {
  listener: ['is in use already: a program listens there', hints.live],
  nobody: ['is the socket of a program that is gone: nobody listens there', hints.left],
  file: ['exists already, and is no socket', hints.file],
};

/** A failure to listen. @param holder of the path that is taken, where it is known */
export function fromListen(
  error: Error,
  place: { port?: number | undefined; path?: string | undefined; host?: string | undefined },
  holder: PathHolder | null = null,
): EasySocketError {
  const { code = '', syscall } = error as NodeError;
  const { host = '' } = place;
  const where = place.path ?? `${host.includes(':') ? `[${host}]` : host}:${place.port ?? 0}`;
  switch (syscall === 'getaddrinfo' ? 'ENOTFOUND' : code) {
    case 'EADDRINUSE': {
      const [words, hint] = holder === null ? ['is in use already', hints.taken] : holders[holder];
      return new PortInUseError(place.path ?? place.port ?? 0, `${where} ${words}`, {
        cause: error,
        ...(place.path !== undefined && { hint }),
      });
    }
    case 'EACCES':
    case 'EPERM':
      return new ConnectionError('KNSOCK_PERMISSION_DENIED', `listening on ${where} isn't permitted`, {
        cause: error,
        ...(place.path !== undefined && { hint: hints.unwritable }),
      });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ConnectionError(
        'KNSOCK_HOST_NOT_FOUND',
        `the host name ${host} can't be resolved (${code})`,
        {
          cause: error,
          retryable: code === 'EAI_AGAIN',
          hint: hints.listenHost,
        },
      );
    case 'EADDRNOTAVAIL':
      return new ConnectionError(
        'KNSOCK_ADDRESS_NOT_AVAILABLE',
        `${where} isn't an address of this machine`,
        { cause: error },
      );
    default:
      return new ConnectionError(
        'KNSOCK_CONNECTION_FAILED',
        `listening on ${where} failed: ${error.message}`,
        { cause: error },
      );
  }
}

/** What Node raises on reading a file of credentials. */
export function fromFile(error: Error, file: string): CredentialsError {
  const { code = '' } = error as NodeError;
  // They may be a private key, so neither they nor Node's error, which has them, are shown.
  if (looksLikeContents(file)) {
    const hint = 'Give createCredentials what a file would hold (cert, key, ca), or the path of a file here.';
    const message = `there is no file of that path, which looks like the contents of a file (${file.length} characters)`;
    return new CredentialsError('missing-file', message, { hint });
  }
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new CredentialsError('missing-file', `there is no file ${file}`, { file, cause: error });
  const why = Object.hasOwn(fileWords, code) ? fileWords[code] : error.message;
  const hint = Object.hasOwn(fileHints, code) ? fileHints[code] : undefined;
  const details = { file, cause: error, ...(hint !== undefined && { hint }) };
  return new CredentialsError('unreadable', `${file} can't be read: ${why}`, details);
}

/** What OpenSSL raises on reading a key or a PKCS#12 file; some of it has no code. */
export function fromKeyMaterial(
  error: Error,
  what: string,
  file: string | undefined,
  passphraseGiven: boolean,
): CredentialsError {
  const { code = '' } = error as NodeError;
  const text = `${code} ${error.message}`;
  const details = { file, cause: error };
  if (
    /BAD_DECRYPT|INTERRUPTED_OR_CANCELLED|MISSING_PASSPHRASE|mac verify failure|bad decrypt|bad password/i.test(
      text,
    )
  ) {
    const problem = passphraseGiven
      ? 'the passphrase is wrong'
      : 'it is encrypted and no passphrase was given';
    return new CredentialsError('passphrase', `${what} can't be opened: ${problem}`, details);
  }
  if (/KEY_VALUES_MISMATCH/i.test(text)) {
    return new CredentialsError('key-mismatch', `${what} doesn't belong to the certificate`, details);
  }
  if (/KEY_TOO_SMALL|MD_TOO_WEAK/i.test(text))
    return new CredentialsError('weak', `${what} is too weak`, details);
  if (/UNSUPPORTED_OPERATION|RC2/i.test(text) && !/ERR_OSSL_UNSUPPORTED/.test(text)) {
    return new CredentialsError(
      'unsupported',
      `${what} uses an algorithm that OpenSSL no longer offers`,
      details,
    );
  }
  return new CredentialsError('malformed', `${what} can't be read: it isn't what was expected`, details);
}
