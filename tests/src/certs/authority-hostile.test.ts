/** An authority with clients that vanish, flood, and send invalid requests; and a store with two servers. */
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { createCsr, enroll, openStore, type Store } from '@knsock/certs';
import {
  createToken,
  formatToken,
  listTokens,
  rootOf,
  serveAuthority,
  type AuthorityServer,
  type RefusedEnrolment,
  type TokenSecret,
} from '@knsock/certs/authority-server';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';

let folder: string;
let store: Store;
let root: string;
let server: AuthorityServer;
let refused: RefusedEnrolment[];
const others: AuthorityServer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-hostile-'));
  store = await openStore(join(folder, 'store'));
  ({ root } = await store.createAuthority({ commonName: 'Root' }));
  refused = [];
  server = await serve(store);
}, 60_000);
afterEach(async () => {
  await Promise.all([server, ...others.splice(0)].map((one) => one.close()));
  await rm(folder, { recursive: true, force: true });
}, 60_000);

function serve(of: Store): Promise<AuthorityServer> {
  return serveAuthority({
    ...{ store: of, names: ['localhost'], port: 0, host: '127.0.0.1', drainTimeout: 1_000 },
    onRefused: (one) => refused.push(one),
  });
}

const portOf = ({ address }: AuthorityServer): number => ('port' in address ? address.port : 0);
const names = ['agent-7.example'];

async function wordFor(secret: TokenSecret, at: AuthorityServer): Promise<string> {
  const known = { address: `localhost:${portOf(at)}`, root: rootOf(await store.chain()) };
  return formatToken({ ...known, ...secret, kind: 'client', names });
}

function requestOf(secret: TokenSecret, body: string): string {
  const basic = Buffer.from(`${secret.id}:${secret.secret}`).toString('base64');
  return [
    'POST /.well-known/est/simpleenroll HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/pkcs10',
    `Authorization: Basic ${basic}`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

async function dial(to = server): Promise<TLSSocket> {
  const socket = tlsConnect({ port: portOf(to), host: '127.0.0.1', servername: 'localhost', ca: root });
  await once(socket, 'secureConnect');
  return socket;
}

const bodyOf = (csr: string): string => csr.replace(/-----[^-]+-----|\s/g, '');
const given = async (): Promise<number> =>
  (await store.certificates()).filter(({ kind }) => kind === 'client').length;

it('issues one certificate for a token used at two servers of one store at once', async () => {
  const second = await serve(await openStore(store.directory));
  others.push(second);
  const secret = await createToken(store.directory, { names });
  const words = await Promise.all([server, second].map((at) => wordFor(secret, at)));
  const tries = Array.from({ length: 8 }, (_, index) =>
    enroll({ token: words[index % 2] ?? '', dir: join(folder, `machine-${index}`) }),
  );
  const outcomes = await Promise.allSettled(tries);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(refused.map(({ reason }) => reason)).toEqual(Array.from({ length: 7 }, () => 'other-key'));
  expect(await given()).toBe(1);
});

it('survives clients that vanish at any step, and continues with the key of one that did', async () => {
  const secret = await createToken(store.directory, { names });
  const { csr } = await createCsr({ kind: 'client', names });
  const whole = requestOf(secret, bodyOf(csr));
  for (const part of [0, 10, 60, whole.indexOf('\r\n\r\n') + 4, whole.length - 10]) {
    const socket = await dial();
    if (part > 0) await new Promise((resolve) => socket.write(whole.slice(0, part), resolve));
    socket.destroy();
  }
  expect((await listTokens(store.directory))[0]?.enrolled).toEqual([]);
  const last = await dial();
  await new Promise((resolve) => last.write(whole, resolve));
  last.destroy();
  // Requested again with the same key, whatever the outcome of the first; and with another, if that one came too late.
  const again = await dial();
  again.write(whole);
  const [answer] = (await once(again, 'data')) as [Buffer];
  expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
  again.destroy();
  expect(await given()).toBe(1);
  await expect(
    enroll({ token: await wordFor(secret, server), dir: join(folder, 'm') }),
  ).rejects.toMatchObject({
    code: 'KNSOCK_CERTIFICATE_ENROLMENT',
  });
});

function isWhole(answer: string): boolean {
  const [head = '', length] = /^[^]*?^content-length: (\d+)\r\n[^]*?\r\n\r\n/im.exec(answer) ?? [];
  return length !== undefined && answer.length >= head.length + Number(length);
}

it(
  'answers 400 to requests with bytes changed anywhere, and certifies nothing by them',
  { timeout: 120_000 },
  async () => {
    const secret = await createToken(store.directory, { names });
    const { csr } = await createCsr({ kind: 'client', names });
    const der = Buffer.from(bodyOf(csr), 'base64');
    const socket = await dial();
    socket.setEncoding('latin1');
    const ask = async (bytes: Buffer): Promise<string> => {
      socket.write(requestOf(secret, bytes.toString('base64')));
      let text = '';
      while (!isWhole(text)) text += ((await once(socket, 'data')) as [string])[0];
      return text.slice(9, 12);
    };
    const changes = fc.array(fc.tuple(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(changes, async (all) => {
        const changed = Buffer.from(der);
        for (const [at, by] of all) changed[at] = (changed[at] ?? 0) ^ by;
        fc.pre(!changed.equals(der));
        expect(await ask(changed)).toBe('400');
      }),
      { numRuns: 100 },
    );
    expect((await listTokens(store.directory))[0]?.enrolled).toEqual([]);
    expect(await ask(der)).toBe('200');
    socket.destroy();
  },
);

it('limits a flood of guesses, none of which is written to the journal', async () => {
  const { csr } = await createCsr({ kind: 'client', names });
  const guess = { id: '0123456789abcdef', secret: 'x'.repeat(32) };
  const text = requestOf(guess, bodyOf(csr));
  const statuses = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const socket = await dial();
      socket.write(text);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return answer.toString('latin1', 9, 12);
    }),
  );
  expect(new Set(statuses)).toEqual(new Set(['401', '429']));
  expect(await given()).toBe(0);
  await expect(readFile(join(store.directory, 'tokens.jsonl'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('certifies as many keys of a flood as a token has uses, at two servers, and keeps account of each', async () => {
  const second = await serve(await openStore(store.directory));
  others.push(second);
  const uses = 12;
  const secret = await createToken(store.directory, { allow: ['*.agents.example'], uses, kind: 'client' });
  const statuses = await Promise.all(
    Array.from({ length: uses + 8 }, async (_, index) => {
      const { csr } = await createCsr({ kind: 'client', names: [`m-${index}.agents.example`] });
      const socket = await dial(index % 2 === 0 ? server : second);
      socket.write(requestOf(secret, bodyOf(csr)));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return answer.toString('latin1', 9, 12);
    }),
  );
  expect(statuses.filter((status) => status === '200')).toHaveLength(uses);
  expect(new Set(statuses)).toEqual(new Set(['200', '401']));
  expect(refused.map(({ reason }) => reason)).toEqual(Array.from({ length: 8 }, () => 'other-key'));
  const issued = (await store.certificates()).filter(({ kind }) => kind === 'client');
  const [noted] = await listTokens(store.directory);
  expect(issued).toHaveLength(uses);
  expect(new Set(noted?.enrolled.map(({ key }) => key)).size).toBe(uses);
  expect(noted?.enrolled.map(({ serial }) => serial).sort()).toEqual(
    issued.map(({ serial }) => serial).sort(),
  );
  for (const file of await readdir(store.directory, { recursive: true, withFileTypes: true }))
    if (file.isFile())
      expect(await readFile(join(file.parentPath, file.name), 'latin1')).not.toContain(secret.secret);
});
