/** Requests as a client makes them: over one connection, over a pool, over a connection each. */
import { connect, type SecureConnection } from '@knsock/core';
import { ConnectionPool } from '@knsock/pool';
import { connectOptions, type Reach } from './ours.js';

export type RequestWay = 'one connection' | 'pool' | 'a connection each';

export interface RequestOptions extends Omit<Reach, 'framing'> {
  readonly way: RequestWay;
  /** Connections of the pool. */
  readonly max: number;
  /** Requests under way at once. */
  readonly atOnce: number;
  readonly ms: number;
}

type Ask = () => Promise<unknown>;
const PAYLOAD = 'x'.repeat(32);
let asking: Promise<Ask> | undefined;

/** Asks until the time is over. */
export async function request(options: RequestOptions): Promise<{ operations: number; wallMs: number }> {
  const ask = await (asking ??= ways[options.way](options));
  const started = performance.now();
  let operations = 0;
  const caller = async (): Promise<void> => {
    do {
      await ask();
      operations += 1;
    } while (performance.now() - started < options.ms);
  };
  await Promise.all(Array.from({ length: options.atOnce }, caller));
  return { operations, wallMs: performance.now() - started };
}

const ways: Readonly<Record<RequestWay, (options: RequestOptions) => Promise<Ask>>> = {
  'one connection': async (options) => {
    const connection = await open(options);
    return () => connection.request(PAYLOAD);
  },
  pool: async (options) => {
    const { host = '', port = 0, ...reach } = connectOptions({ ...options, framing: 'knsock' });
    const { credentials, servername, framing, profile } = reach;
    const pool = new ConnectionPool({
      credentials,
      framing,
      profile,
      endpoints: [{ host, port, servername }],
      min: options.max,
      max: options.max,
    });
    await pool.ready();
    return () => pool.request(PAYLOAD);
  },
  'a connection each': (options) => {
    const reach = connectOptions({ ...options, framing: 'knsock' });
    return Promise.resolve(async () => {
      const connection = await connect(reach);
      await connection.request(PAYLOAD);
      connection.destroy();
    });
  },
};

function open(options: RequestOptions): Promise<SecureConnection> {
  return connect(connectOptions({ ...options, framing: 'knsock' }));
}
