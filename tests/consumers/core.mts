// Checked, never run: what the types promise to a strict program.
import {
  connect,
  json,
  knsock,
  loadCredentials,
  serve,
  type SecureConnection,
  type SecureServer,
} from '@knsock/core';
import { UntrustedPeerError } from '@knsock/core/errors';

export async function answer(): Promise<SecureServer> {
  const credentials = await loadCredentials({ certFile: 'server.pem', keyFile: 'server-key.pem' });
  return serve({ port: 0, credentials }, (request) => request.payload.toString('hex'));
}

export async function ask(port: number): Promise<Buffer> {
  const connection: SecureConnection = await connect({ host: 'localhost', port });
  try {
    return await connection.request('ping', { timeout: 1_000 });
  } finally {
    await connection.close();
  }
}

export const framing = json(knsock());

export function position(error: unknown): number | undefined {
  return error instanceof UntrustedPeerError ? error.position : undefined;
}
