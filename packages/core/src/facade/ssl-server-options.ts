/** The options of kn-sock's servers, read once into those of `listen`. */
import type { SecureContextOptions } from 'node:tls';
import type { ErrorListener } from '../connection/error-listener.js';
import { createCredentials, type Credentials } from '../credentials/credentials.js';
import { loadCredentials } from '../credentials/load.js';
import { InvalidOptionError } from '../errors/index.js';
import { raw } from '../framing/index.js';
import {
  abortSignal,
  anything,
  callback,
  filePath,
  flag,
  readAllOptions,
  text,
  withDefault,
  type OptionReaders,
} from '../options/index.js';
import type { ListenOptions } from '../server/config.js';
import { parseSslContext } from './ssl-context.js';

/** Where kn-sock's servers find their credentials, and which clients they admit. */
export interface SslServerOptions {
  /** PEM: the server's certificate, then those that lead to its CA. */
  certfile?: string | undefined;
  /** PEM. */
  keyfile?: string | undefined;
  /** PEM: the CA of clients. A client that shows a certificate must then be certified by it. */
  cafile?: string | undefined;
  /** Refuses clients without a certificate; needs a CA. Default false. */
  requireClientCert?: boolean | undefined;
  /** The address to listen on; default `'0.0.0.0'`, every IPv4 address of this machine. */
  host?: string | undefined;
  /** Instead of the three files: Node's options for a context, not a built one. */
  sslContext?: SecureContextOptions | undefined;
  /** Whether the connection stays open after the first data; `startSslTcpServer` false, `startAsyncSslTcpServer` true. */
  keepOpen?: boolean | undefined;
  /** Receives every error that reaches no caller, such as those of the handler; default: a process warning. */
  onError?: ErrorListener | undefined;
  /** Closes the server when it fires. */
  signal?: AbortSignal | undefined;
}

/** How each of them is read, and its default. */
export const sslServerOptions = {
  certfile: filePath,
  keyfile: filePath,
  cafile: filePath,
  requireClientCert: withDefault(flag, false),
  host: withDefault(text, '0.0.0.0'),
  sslContext: anything,
  keepOpen: flag,
  onError: callback,
  signal: abortSignal,
} as const satisfies OptionReaders<SslServerOptions>;

/** @throws InvalidOptionError, CredentialsError */
export async function parseSslServer(port: number, options: SslServerOptions): Promise<ListenOptions> {
  const { host, requireClientCert } = readAllOptions(options, sslServerOptions);
  const { onError, signal } = options;
  const { credentials, ...rest } = await parseCredentials(options);
  if (requireClientCert && credentials.anchors === null) {
    throw new InvalidOptionError(
      'requireClientCert',
      'requireClientCert needs the CA that certifies clients: cafile, or ca in sslContext',
    );
  }
  const optional = credentials.anchors === null ? 'none' : 'request';
  const clientCertificates = requireClientCert ? 'require' : optional;
  return { port, host, framing: raw(), credentials, clientCertificates, onError, signal, ...rest };
}

type FromCredentials = Pick<ListenOptions, 'profile' | 'partialChain' | 'tls'> & { credentials: Credentials };

async function parseCredentials(options: SslServerOptions): Promise<FromCredentials> {
  const { certfile, keyfile, cafile, sslContext } = options;
  if (sslContext === undefined) {
    if (certfile === undefined || keyfile === undefined) {
      const missing = certfile === undefined ? 'certfile' : 'keyfile';
      throw new InvalidOptionError(missing, `a server needs certfile and keyfile, or sslContext`);
    }
    return { credentials: await loadCredentials({ certFile: certfile, keyFile: keyfile, caFile: cafile }) };
  }
  if ((certfile ?? keyfile ?? cafile) !== undefined) {
    throw new InvalidOptionError('sslContext', 'give either sslContext, or certfile, keyfile and cafile');
  }
  const context = parseSslContext(sslContext);
  const { profile, partialChain, tls } = context;
  return { credentials: createCredentials(context.credentials), profile, partialChain, tls };
}
