/**
 * A way through an HTTP proxy (CONNECT, RFC 9110 §9.3.6), reached in the clear or over TLS. The TLS inside it is with
 * the server, whose certificate is verified for the server's own name: the proxy sees where the bytes go, and none of them.
 */
import { request, type ClientRequest, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { AcmeError, directoryFailure } from './acme-error.js';

/**
 * Connects to a server through a proxy.
 * @param options for the TLS inside
 * @throws AcmeError `KNSOCK_ACME_DIRECTORY` where the proxy doesn't let it through
 */
export async function connectThrough(
  proxy: URL,
  target: URL,
  options: { readonly ca?: string | Buffer },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await openTunnel(proxy, target, signal);
  const host = bare(target.hostname);
  // Never the name of the proxy; an address isn't sent, and compared with the certificate all the same.
  return connect({ ...options, socket, host, ...(isIP(host) === 0 && { servername: host }) });
}

function openTunnel(proxy: URL, target: URL, signal: AbortSignal): Promise<Socket> {
  const place = `${target.hostname}:${target.port === '' ? 443 : target.port}`;
  return new Promise((resolve, reject) => {
    const asked = askerOf(proxy)({
      ...{ method: 'CONNECT', path: place, agent: false, signal },
      headers: { host: place, ...authorization(proxy) },
    });
    asked.on('connect', ({ statusCode = 0 }, socket: Socket, early: Buffer) => {
      if (statusCode >= 200 && statusCode < 300 && early.length === 0) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(early.length > 0 && statusCode < 300 ? spokeFirst(proxy) : refusedBy(proxy, place, statusCode));
    });
    asked.on('error', (cause: Error) => {
      if (signal.aborted) reject(cause);
      else reject(unusable(proxy, cause));
    });
    asked.end();
  });
}

/** What sends a request to the proxy itself. */
function askerOf(proxy: URL): (options: RequestOptions) => ClientRequest {
  const host = bare(proxy.hostname);
  if (proxy.protocol === 'http:')
    return (options) => request({ ...options, host, port: proxy.port === '' ? 80 : proxy.port });
  // Without a name of its own Node would ask for the one in the Host header, the directory's; an address isn't sent.
  const servername = isIP(host) === 0 ? host : '';
  const port = proxy.port === '' ? 443 : proxy.port;
  return (options) => secureRequest({ ...options, host, port, servername });
}

function unusable(proxy: URL, cause: Error): AcmeError {
  const message = `the proxy ${proxy.host} can't be used: ${cause.message}`;
  if (proxy.protocol === 'http:') return directoryFailure(message, cause);
  const hint =
    "Does it take TLS there (https:), or HTTP in the clear (http:)? Its certificate is verified by the CAs that Node knows: NODE_EXTRA_CA_CERTS=FILE adds your company's.";
  return new AcmeError('KNSOCK_ACME_DIRECTORY', message, { cause, hint });
}

/** RFC 7617. */
function authorization({ username, password }: URL): { 'proxy-authorization'?: string } {
  if (username === '' && password === '') return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function refusedBy(proxy: URL, place: string, status: number): AcmeError {
  const hint =
    status === 407
      ? `It wants a name and a password: ${proxy.protocol}//NAME:PASSWORD@HOST:PORT.`
      : `Does the proxy let this machine through to ${place}?`;
  const message = `the proxy ${proxy.host} answered CONNECT ${place} with status ${status}`;
  return new AcmeError('KNSOCK_ACME_DIRECTORY', message, { hint });
}

/** A TLS server waits for the client. */
function spokeFirst(proxy: URL): AcmeError {
  return directoryFailure(`the proxy ${proxy.host} sent bytes of its own after its answer`);
}

/** An IPv6 address without the brackets of URLs. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
