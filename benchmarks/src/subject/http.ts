/** A small answer over HTTP, by node:https and by ours. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createCredentials } from '@knsock/core';
import { serveHttp } from '@knsock/core/http';
import type { Certificates } from '../certificates.js';
import { listenOn, LOOPBACK, serverOptions } from '../tls-setup.js';

export interface HttpServerOptions {
  readonly files: Certificates;
  readonly by: 'node:https' | 'serveHttp';
}

export async function serveAnswers({ files, by }: HttpServerOptions): Promise<number> {
  if (by === 'node:https') return listenOn(createServer(serverOptions(files, false), answer));
  const credentials = createCredentials({
    cert: readFileSync(files.serverCertificate),
    key: readFileSync(files.serverKey),
  });
  const profile = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' } as const;
  const { address } = await serveHttp({ host: LOOPBACK, port: 0, credentials, profile }, answer);
  return (address as { port: number }).port;
}

function answer(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Content-Type', 'text/plain').end('hello world');
}
