/** A machine whose clock differs from its authority's by hours: the errors that it gets, and that it loses nothing by it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '@knsock/certs';
import {
  createToken,
  formatToken,
  listTokens,
  rootOf,
  serveAuthority,
  type AuthorityServer,
} from '@knsock/certs/authority-server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { knsock, type Ended } from '../support/command.js';
import { needsTools } from './tools.js';

let folder: string;
let store: Store;
let server: AuthorityServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-clocks-'));
  store = await openStore(join(folder, 'store'));
  await store.createAuthority({ commonName: 'Root' });
  server = await serveAuthority({ store, names: ['localhost'], port: 0, host: '127.0.0.1' });
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** @param days of the certificate */
async function token(days: number): Promise<string> {
  const grant = { names: ['agent.example'], kind: 'client' } as const;
  const secret = await createToken(store.directory, { ...grant, days });
  const port = 'port' in server.address ? server.address.port : 0;
  return formatToken({
    ...{ ...grant, ...secret, address: `localhost:${port}` },
    root: rootOf(await store.chain()),
  });
}

/** Runs the command on a machine whose clock is off, such as `+5h`. */
function machine(clock: string, word: string): Promise<Ended> {
  const env = {
    ...(clock !== '+0h' && { LD_PRELOAD: '/usr/$LIB/faketime/libfaketime.so.1', FAKETIME: clock }),
    KNSOCK_TOKEN: word,
  };
  return knsock(['certs', 'enroll', '--dir', join(folder, 'machine')], { env });
}

const serialsGiven = async () =>
  (await store.certificates()).filter(({ kind }) => kind === 'client').map(({ serial }) => serial);
const serialsNoted = async () =>
  (await listTokens(store.directory)).flatMap(({ enrolled }) => enrolled.map(({ serial }) => serial));

it.for([
  ['-5h', 'KNSOCK_PEER_NOT_YET_VALID'],
  ['+800h', 'KNSOCK_PEER_EXPIRED'],
] as const)(
  'shows a machine whose clock is off by %s that, before it sends the secret',
  async ([clock, code], context) => {
    needsTools(context, 'faketime');
    const word = await token(1);
    const failed = await machine(clock, word);
    expect(failed.stderr).toContain(code);
    expect(failed.stderr).toMatch(/hint:.*clock/);
    expect(failed.code).not.toBe(0);
    expect(await serialsNoted()).toEqual([]);
    expect(await machine('+0h', word)).toMatchObject({ code: 0 });
    expect(await serialsGiven()).toHaveLength(1);
  },
);

it('gives a machine whose clock is hours ahead one certificate, which it has once that is set', async (context) => {
  needsTools(context, 'faketime');
  const word = await token(1 / 24);
  const failed = await machine('+5h', word);
  expect(failed.stderr).toMatch(/expired at .*; now is [^]*hint:.*clock/);
  expect(failed.code).not.toBe(0);
  expect(await readdir(join(folder, 'machine'))).not.toContain('tls.crt');
  expect(await machine('+0h', word)).toMatchObject({ code: 0 });
  expect(await serialsGiven()).toHaveLength(1);
  expect(await serialsNoted()).toEqual(await serialsGiven());
});
