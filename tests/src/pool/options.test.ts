import { ConnectionPool } from '@knsock/pool';
import { TCPConnectionPool } from '@knsock/pool/kn-sock';
import { expect, it } from 'vitest';

const endpoints = [{ host: 'localhost', port: 1 }];

it.each<[string, object | undefined]>([
  ['options', undefined],
  ['endpoints', {}],
  ['endpoints', { endpoints: [] }],
  ['endpoints', { endpoints: [{ host: 'localhost', port: 0 }] }],
  ['endpoints', { endpoints: [null] }],
  ['endpoints.servernam', { endpoints: [{ host: 'localhost', port: 1, servernam: 'x' }] }],
  ['idleTimout', { endpoints, idleTimout: 5 }],
  ['max', { endpoints, max: 0 }],
  ['connectTimeout', { endpoints, connectTimeout: 'soon' }],
  ['requestTimeout', { endpoints, requestTimeout: Infinity }],
  ['credentials', { endpoints, credentials: 'x' }],
  ['clock', { endpoints, clock: Date }],
  ['onLeak', { endpoints, onLeak: 'log' }],
  ['backOff.frist', { endpoints, backOff: { frist: 5 } }],
  ['keepalive', { endpoints, keepalive: Number.NaN }],
  ['tls.rejectUnauthorized', { endpoints, tls: { rejectUnauthorized: false } }],
  ['host', { endpoints, host: 'elsewhere' }],
  ['signal', { endpoints, signal: new AbortController().signal }],
])('refuses an invalid %s when the pool is created, not with the first connection', (option, options) => {
  const made = () => new ConnectionPool(options as never);
  expect(made).toThrow(expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option }) as Error);
});

it("refuses unknown options of kn-sock's pool", () => {
  const made = () => new TCPConnectionPool('localhost', 1, { max_size: 3 } as object);
  expect(made).toThrow(/there is no option max_size; did you mean maxSize/);
});

it.each<[string, object]>([
  // Anything but `false` would leave verification ambiguous.
  ['verify', { verify: 0 }],
  ['verify', { verify: null }],
  ['ssl', { ssl: 'no' }],
  ['maxSize', { maxSize: 0 }],
  ['cafile', { cafile: 5 }],
])("kn-sock's pool refuses %s of the wrong kind: %j", (option, options) => {
  const made = () => new TCPConnectionPool('localhost', 1, options);
  expect(made).toThrow(expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option }) as Error);
});

it.each<[string, (pool: ConnectionPool) => Promise<unknown>]>([
  ['timeOut', (pool) => pool.request('x', { timeOut: 5 } as never)],
  ['timeout', (pool) => pool.request('x', { timeout: '5' } as never)],
  ['options', (pool) => pool.request('x', 5 as never)],
  ['idempotent', (pool) => pool.request('x', { idempotent: 1 } as never)],
  ['singal', (pool) => pool.acquire({ singal: null } as never)],
  ['signal', (pool) => pool.acquire({ signal: new AbortController() } as never)],
  ['prefer', (pool) => pool.use(() => undefined, { prefer: () => true } as never)],
  ['timeout', (pool) => pool.ready({ timeout: -1 })],
])('an invalid %s of a call rejects before anything is done', async (option, call) => {
  await using pool = new ConnectionPool({ endpoints });
  const refusal = { code: 'KNSOCK_INVALID_OPTION', option };
  await expect(call(pool)).rejects.toMatchObject(refusal);
  expect(pool.stats()).toMatchObject({ waiting: 0, creating: 0 });
  await expect(pool.close({ timeout: 5 } as never)).rejects.toThrow(
    expect.objectContaining({ option: 'timeout' }) as Error,
  );
});

it('a misspelt option of a pool is answered with the name that is meant', () => {
  const made = () => new ConnectionPool({ endpoints, acquireTimout: 5 } as never);
  expect(made).toThrow(/there is no option acquireTimout; did you mean acquireTimeout\?/);
});
