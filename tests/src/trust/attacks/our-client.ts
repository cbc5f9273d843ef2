/** Our client in the attacks: it connects to a stock server, reads what that sends, and leaves. */
import { connect, raw, type ConnectOptions } from '@knsock/core';
import type { Version } from '../../support/raw-tls.js';

/** @returns whether a session was resumed; rejects where the server wasn't trusted */
export async function ourVisit(
  version: Version,
  port: number,
  options: Omit<ConnectOptions, 'port' | 'framing' | 'profile'>,
): Promise<boolean> {
  const profile = { minVersion: version, maxVersion: version };
  const connection = await connect({ host: '127.0.0.1', port, framing: raw(), profile, ...options });
  const { resumed } = connection.tls;
  while ((await connection.receive()) !== null);
  await connection.close();
  return resumed;
}
