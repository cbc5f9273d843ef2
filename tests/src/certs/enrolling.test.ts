/** A machine's side: enrolling by a token, renewing, and credentials that do both by themselves. */
import { getEventListeners } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  enroll,
  enrolledCredentials,
  openStore,
  renewEnrolled,
  revocationSource,
  type Store,
} from '@knsock/certs';
import {
  barRenewal,
  createToken,
  formatToken,
  parseToken,
  rootOf,
  serveAuthority,
  withdrawToken,
  type AuthorityServer,
  type AuthorityServerOptions,
  type RefusedEnrolment,
  type TokenOptions,
} from '@knsock/certs/authority-server';
import { connect, createCredentials, loadCredentials, serve } from '@knsock/core';
import { serveHttp } from '@knsock/core/http';
import { parseCertificate, parseCertificates } from '@knsock/core/x509';
import { credentialSourceRules } from '@knsock/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
let store: Store;
let server: AuthorityServer;
let refused: RefusedEnrolment[];
let dir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-enrolling-'));
  dir = join(folder, 'machine');
  store = await openStore(join(folder, 'store'));
  const root = await store.createAuthority({ commonName: 'Test Root', days: 30 });
  await root.intermediate({ commonName: 'Test Issuing', file: 'issuing', days: 20 });
  refused = [];
  server = await start();
}, 60_000);
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

function start(options: Partial<AuthorityServerOptions> = {}): Promise<AuthorityServer> {
  return serveAuthority({
    store,
    authority: 'issuing',
    names: ['localhost'],
    port: 0,
    host: '127.0.0.1',
    onRefused: (one) => refused.push(one),
    ...options,
  });
}

async function token(options: TokenOptions = {}): Promise<string> {
  const { names = ['agent-7.example'], kind = 'client', allow } = options;
  const secret = await createToken(store.directory, { ...options, names, kind });
  return formatToken({
    ...{ kind, names: allow === undefined ? names : [] },
    address: `localhost:${portOf(server)}`,
    root: rootOf(await store.chain('root')),
    ...secret,
  });
}

const portOf = ({ address }: Pick<AuthorityServer, 'address'>): number =>
  'port' in address ? address.port : 0;

const issued = async (): Promise<number> =>
  (await store.certificates()).filter(({ kind }) => kind === 'client').length;

describe('enrolling', () => {
  it('makes a key, has it certified, and writes what programs load', async () => {
    const done = await enroll({ token: await token(), dir });
    expect(done).toMatchObject({ enrolled: true, names: ['agent-7.example'] });
    expect((await stat(done.keyFile)).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    const { certFile, keyFile, caFile } = done;
    const credentials = await loadCredentials({ certFile, keyFile, caFile });
    // Its issuer is included, so that peers that have only the root can verify it.
    expect(credentials.chain.map(({ subject }) => subject.toString())).toEqual([
      'CN=agent-7.example',
      'CN=Test Issuing',
    ]);
    expect(credentials.anchors?.map(({ subject }) => subject.toString())).toEqual(['CN=Test Root']);
    expect((await readdir(dir)).sort()).toEqual(['ca.crt', 'enrolment.json', 'tls.crt', 'tls.key']);
    const everything = await Promise.all(
      (await readdir(dir)).map((file) => readFile(join(dir, file), 'utf8')),
    );
    expect(everything.join()).not.toContain(parseToken(await token()).secret);
  });

  it('reports that the same token was used here, and refuses another one unless forced', async () => {
    const first = await token();
    const { serial } = await enroll({ token: first, dir });
    expect(await enroll({ token: first, dir })).toMatchObject({ enrolled: false, serial });
    const other = await token();
    await expect(enroll({ token: other, dir })).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_EXISTS' });
    expect((await enroll({ token: other, dir, force: true })).serial).not.toBe(serial);
  });

  it('continues with the same key after a crash, and receives the same certificate', async () => {
    const word = await token();
    const { id } = parseToken(word);
    const { serial, keyFile, certFile } = await enroll({ token: word, dir });
    const key = await readFile(keyFile, 'utf8');
    // As a crash leaves it before the answer was written …
    await writeFile(join(dir, `.enrolling-${id}.key`), key);
    await Promise.all([certFile, keyFile, join(dir, 'enrolment.json')].map((file) => rm(file)));
    expect(await enroll({ token: word, dir })).toMatchObject({ enrolled: true, serial });
    expect(await readFile(keyFile, 'utf8')).toBe(key);
    // … and just after it, when the token may have expired or the authority be unreachable.
    await writeFile(join(dir, `.enrolling-${id}.key`), key);
    await server.close();
    expect(await enroll({ token: word, dir })).toMatchObject({ enrolled: false, serial });
    expect(await readdir(dir)).not.toContain(`.enrolling-${id}.key`);
    expect(await issued()).toBe(1);
  });

  it('enrols once when several processes do at the same time', async () => {
    const word = await token();
    const all = await Promise.all(Array.from({ length: 4 }, () => enroll({ token: word, dir })));
    expect(all.filter(({ enrolled }) => enrolled)).toHaveLength(1);
    expect(new Set(all.map(({ serial }) => serial)).size).toBe(1);
    expect(refused).toEqual([]);
  });

  it('allows a machine to choose among the names that a token allows', async () => {
    const word = await token({ allow: ['*.agents.example'], names: ['spiffe://example/{name}'], uses: 2 });
    await expect(enroll({ token: word, dir })).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION' });
    const { names } = await enroll({ token: word, dir, names: ['b.agents.example'] });
    expect([...names].sort()).toEqual(['b.agents.example', 'spiffe://example/b.agents.example']);
    await expect(enroll({ token: word, dir: join(folder, 'c'), names: ['c.example'] })).rejects.toMatchObject(
      {
        code: 'KNSOCK_CERTIFICATE_ENROLMENT',
      },
    );
    await expect(enroll({ token: await token(), dir, names: ['other.example'] })).rejects.toThrow(
      'the token is for agent-7.example',
    );
  });

  it("reports the authority's reason for refusing a token", async () => {
    const word = await token();
    await withdrawToken(store.directory, parseToken(word).id);
    await expect(enroll({ token: word, dir })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_ENROLMENT',
      message: expect.stringContaining('withdrawn') as string,
    });
    expect(await readdir(dir)).toEqual([`.enrolling-${parseToken(word).id}.key`]);
  });
});

describe('an impostor', () => {
  /** Answers like an authority, and records what it receives. */
  async function impostor(certificates: string, credentials: ReturnType<typeof createCredentials>) {
    const heard: string[] = [];
    const app = createServer((request, response) => {
      heard.push(`${request.url ?? ''} ${request.headers.authorization ?? ''}`.trim());
      response.end(certificates);
    });
    const other = await serveHttp({ port: 0, host: '127.0.0.1', credentials }, app);
    return { heard, port: portOf(other), close: () => other.close() };
  }

  async function strangers(): Promise<ReturnType<typeof createCredentials>> {
    const other = await openStore(join(folder, 'other'));
    const authority = await other.createAuthority({ commonName: 'Test Root' });
    const { certificate, key } = await authority.issue({ kind: 'server', names: ['localhost'], file: false });
    return createCredentials({ cert: certificate + authority.certificate, key, ca: authority.root });
  }

  const message = async (port: number): Promise<string> => {
    const answer = await fetchRaw(port);
    return answer;
  };

  it('with another root gets no secret', async () => {
    const fake = await serveStranger();
    const word = formatToken({ ...parseToken(await token()), address: `localhost:${portOf(fake.server)}` });
    await expect(enroll({ token: word, dir })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_AUTHORITY',
    });
    expect(fake.refused).toEqual([]);
    await fake.server.close();
  });

  it("that shows the right root and can't prove to be its authority gets no secret", async () => {
    const cacerts = await message(portOf(server));
    const fake = await impostor(cacerts, await strangers());
    const word = formatToken({ ...parseToken(await token()), address: `localhost:${fake.port}` });
    await expect(enroll({ token: word, dir })).rejects.toMatchObject({
      code: expect.stringMatching(/^KNSOCK_PEER_/) as string,
    });
    expect(fake.heard).toEqual(['/.well-known/est/cacerts']);
    await fake.close();
  });

  it('that is certified by the authority under another name gets no secret', async () => {
    const cacerts = await message(portOf(server));
    const { certificate, key } = await (
      await store.authority('issuing')
    ).issue({ kind: 'server', names: ['web.example'], file: false });
    const credentials = createCredentials({
      cert: certificate + (await store.chain('issuing')),
      key,
      ca: await store.chain('root'),
    });
    const fake = await impostor(cacerts, credentials);
    const word = formatToken({ ...parseToken(await token()), address: `localhost:${fake.port}` });
    await expect(enroll({ token: word, dir })).rejects.toMatchObject({ code: 'KNSOCK_PEER_WRONG_NAME' });
    expect(fake.heard).toEqual(['/.well-known/est/cacerts']);
    await fake.close();
  });

  it("in the authority's place can't make a machine use a certificate for another key or name", async () => {
    const authority = await store.authority('issuing');
    const own = await authority.issue({ kind: 'server', names: ['localhost'], file: false });
    const credentials = createCredentials({
      cert: own.certificate + authority.chain,
      key: own.key,
      ca: authority.root,
    });
    const { certificate } = await authority.issue({
      kind: 'client',
      names: ['agent-7.example'],
      file: false,
    });
    let answer = '';
    const app = createServer((request, response) => {
      request.resume();
      response.end(request.url?.endsWith('cacerts') === true ? cacerts : answer);
    });
    const cacerts = await message(portOf(server));
    const fake = await serveHttp({ port: 0, host: '127.0.0.1', credentials }, app);
    const word = formatToken({ ...parseToken(await token()), address: `localhost:${portOf(fake)}` });
    answer = parseCertificate(certificate).der.toString('base64');
    await expect(enroll({ token: word, dir })).rejects.toThrow('it is for another key');
    answer = 'bm90aGluZw==';
    await expect(enroll({ token: word, dir })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_MALFORMED',
    });
    expect(await readdir(dir)).not.toContain('tls.crt');
    await fake.close();
  });

  async function serveStranger() {
    const other = await openStore(join(folder, 'stranger'));
    await other.createAuthority({ commonName: 'Test Root' });
    const told: RefusedEnrolment[] = [];
    const fake = await serveAuthority({
      ...{ store: other, names: ['localhost'], port: 0, host: '127.0.0.1' },
      onRefused: (one) => told.push(one),
    });
    return { server: fake, refused: told };
  }

  /** The response of `cacerts`, unchanged. */
  async function fetchRaw(port: number): Promise<string> {
    const { Agent, request } = await import('undici');
    const { undiciConnector } = await import('@knsock/core/http');
    const agent = new Agent({ connect: undiciConnector({ dangerouslySkipVerification: true }) });
    const { body } = await request(`https://localhost:${port}/.well-known/est/cacerts`, {
      dispatcher: agent,
    });
    const text = await body.text();
    await agent.destroy();
    return text;
  }
});

describe('renewing', () => {
  it('renews by the certificate itself, with a new key, once it is due', async () => {
    const { serial, certFile, keyFile, caFile } = await enroll({ token: await token(), dir });
    const before = await readFile(keyFile, 'utf8');
    expect(await renewEnrolled({ dir })).toMatchObject({ renewed: false });
    expect(await renewEnrolled({ dir, force: true })).toMatchObject({ renewed: true });
    const credentials = await loadCredentials({ certFile, keyFile, caFile });
    expect(credentials.certificate?.serial).not.toBe(serial);
    expect(credentials.certificate?.dnsNames).toEqual(['agent-7.example']);
    expect(await readFile(keyFile, 'utf8')).not.toBe(before);
  });

  it('reports why the authority refuses, and keeps the current files', async () => {
    const { certFile } = await enroll({ token: await token(), dir });
    const before = await readFile(certFile, 'utf8');
    await barRenewal(store.directory, 'agent-7.example');
    await expect(renewEnrolled({ dir, force: true })).rejects.toThrow('barred from renewal');
    await server.close();
    await expect(renewEnrolled({ dir, force: true })).rejects.toMatchObject({ retryable: true });
    expect(await readFile(certFile, 'utf8')).toBe(before);
    await expect(renewEnrolled({ dir: join(folder, 'nowhere') })).rejects.toThrow("wasn't enrolled");
  });

  it('renews an expired certificate for the same key, if the authority has a grace period', async () => {
    const { certFile, keyFile } = await enroll({ token: await token(), dir });
    const key = await readFile(keyFile, 'utf8');
    const authority = await store.authority('issuing');
    const { certificate } = await expiredCopy(authority, key);
    await writeFile(certFile, certificate + authority.certificate);
    await expect(renewEnrolled({ dir })).rejects.toThrow('expired on');
    await server.close();
    server = await start({ port: portOf(server), expiredGrace: 3_600_000 });
    expect(await renewEnrolled({ dir })).toMatchObject({ renewed: true });
    expect(await readFile(keyFile, 'utf8')).toBe(key);
    expect(parseCertificates(await readFile(certFile, 'utf8'))[0]?.notAfter.getTime()).toBeGreaterThan(
      Date.now(),
    );
  });

  async function expiredCopy(authority: Awaited<ReturnType<Store['authority']>>, privateKey: string) {
    const { vi } = await import('vitest');
    vi.useFakeTimers({ now: Date.now() - 121_000, toFake: ['Date'] });
    try {
      return await authority.issue({
        kind: 'client',
        names: ['agent-7.example'],
        privateKey,
        days: 1 / 1_440,
        file: false,
      });
    } finally {
      vi.useRealTimers();
    }
  }
});

describe('an authority whose root changes', () => {
  const trusted = async (): Promise<string[]> =>
    parseCertificates(await readFile(join(dir, 'ca.crt'))).map(({ subject }) => subject.toString());

  async function follow(options: { replaces?: string }): Promise<void> {
    const next = await store.createAuthority({ commonName: 'Next Root', file: 'next', days: 30, ...options });
    await next.intermediate({ commonName: 'Next Issuing', file: 'next-issuing', days: 20 });
    await server.close();
    server = await start({ port: portOf(server), authority: 'next-issuing' });
  }

  it("is followed if the old root's key has signed the new one", async () => {
    const { certFile, keyFile, caFile } = await enroll({ token: await token(), dir });
    await follow({ replaces: 'root' });
    expect(await renewEnrolled({ dir, force: true })).toMatchObject({ renewed: true });
    expect(await trusted()).toEqual(['CN=Test Root', 'CN=Next Root']);
    const credentials = await loadCredentials({ certFile, keyFile, caFile });
    expect(credentials.chain.map(({ issuer }) => issuer.toString())).toEqual([
      'CN=Next Issuing',
      'CN=Next Root',
    ]);
    expect(await renewEnrolled({ dir, force: true })).toMatchObject({ renewed: true });
  });

  it("isn't followed if it merely answers in the old one's place", async () => {
    await enroll({ token: await token(), dir });
    await follow({});
    await expect(renewEnrolled({ dir, force: true })).rejects.toMatchObject({
      code: expect.stringMatching(/^KNSOCK_PEER_/) as string,
    });
    expect(await trusted()).toEqual(['CN=Test Root']);
  });
});

describe('enrolledCredentials', () => {
  describe('is a source that follows the rules', () => {
    const make = async () => {
      const source = await enrolledCredentials({ dir, token: await token(), onError: () => undefined });
      return { source, change: () => source.renew(), close: () => source.close() };
    };
    for (const { name, check } of credentialSourceRules(make)) it(name, check);
  });

  const names = ['agent-7.example', 'localhost'];
  const peer = { kind: 'peer', names } as const;

  it('enrols, serves and connects with what it enrolled, and rotates when it is renewed', async () => {
    await using credentials = await enrolledCredentials({ dir, token: await token(peer), names });
    await using echo = await serve(
      { port: 0, host: '127.0.0.1', credentials, clientCertificates: 'require' },
      ({ peer: from }) => from?.fingerprint256 ?? '',
    );
    const port = 'port' in echo.address ? echo.address.port : 0;
    const asked = async (): Promise<string> => {
      await using connection = await connect({ host: 'localhost', port, credentials });
      return (await connection.request('who')).toString();
    };
    const first = credentials.current.certificate?.fingerprint256;
    expect(await asked()).toBe(first);
    const rotated = new Promise((resolve) => credentials.onChange(resolve));
    await credentials.renew();
    await rotated;
    const second = credentials.current.certificate?.fingerprint256;
    expect(second).not.toBe(first);
    expect(await asked()).toBe(second);
    expect(credentials.status()).toMatchObject({ lastError: undefined });
    expect([...credentials.status().names].sort()).toEqual(names);
  });

  it('needs no authority at the start if there is a valid certificate', async () => {
    await enroll({ token: await token(), dir });
    await server.close();
    await using credentials = await enrolledCredentials({ dir });
    expect(credentials.current.certificate?.dnsNames).toEqual(['agent-7.example']);
    await expect(credentials.renew()).rejects.toMatchObject({ retryable: true });
    expect(credentials.current.certificate?.dnsNames).toEqual(['agent-7.example']);
  });

  it('enrols once for two that share a folder, and each loads what the other renews', async () => {
    const word = await token();
    const [one, other] = await Promise.all([
      enrolledCredentials({ dir, token: word }),
      enrolledCredentials({ dir, token: word }),
    ]);
    await using _one = one;
    await using _other = other;
    expect(other.current.certificate?.serial).toBe(one.current.certificate?.serial);
    const seen = new Promise((resolve) => other.onChange(resolve));
    const renewed = await one.renew();
    await seen;
    expect(other.current.certificate?.serial).toBe(renewed.certificate?.serial);
    expect(await issued()).toBe(2);
  });

  it('has the error of the last attempt in its status until it is renewed, here or by another process', async () => {
    await enroll({ token: await token(), dir });
    await using credentials = await enrolledCredentials({ dir });
    const [name] = credentials.status().names;
    await barRenewal(store.directory, name as string);
    const refusal = (await credentials.renew().catch((error: unknown) => error)) as Error;
    expect(refusal).toMatchObject({ code: 'KNSOCK_CERTIFICATE_ENROLMENT' });
    expect(credentials.status().lastError).toBe(refusal);
    await barRenewal(store.directory, name as string, { barred: false });
    const seen = new Promise((resolve) => credentials.onChange(resolve));
    await renewEnrolled({ dir, force: true });
    await seen;
    expect(credentials.status().lastError).toBeUndefined();
  });

  it('renews by itself when it is due, and reports what fails', async () => {
    const errors: Error[] = [];
    const word = await token({ names: ['agent-7.example'], days: 1 / 1_440 });
    await using credentials = await enrolledCredentials({
      dir,
      token: word,
      renewAt: 0.11,
      onError: (error) => void errors.push(error),
    });
    const first = credentials.current.certificate?.serial;
    await new Promise((resolve) => credentials.onChange(resolve));
    expect(credentials.current.certificate?.serial).not.toBe(first);
    expect(errors).toEqual([]);
  });

  it('shares one signal with lists and others like it, and ends by it, also while it begins', async () => {
    await enroll({ token: await token(), dir });
    const closing = new AbortController();
    const { signal } = closing;
    const list = join(folder, 'list.crl');
    await writeFile(list, (await (await store.authority('issuing')).crl()).pem);
    const listeners = () => getEventListeners(signal, 'abort').length;
    const open = () => enrolledCredentials({ dir, signal });
    const [first, second] = [await open(), await open()];
    using _lists = revocationSource({ crls: [list], signal });
    expect(listeners()).toBe(1);
    await first.close();
    expect(listeners()).toBe(1);
    const third = open();
    closing.abort(new Error('the program ends'));
    for (const ended of [second, await third]) await expect(ended.renew()).rejects.toThrow();
    expect(listeners()).toBe(0);
    expect(await issued()).toBe(1);
  });

  it('refuses another name or authority than configured', async () => {
    const word = await token();
    await expect(enrolledCredentials({ dir, token: word, names: ['other.example'] })).rejects.toThrow(
      'the token is for agent-7.example',
    );
    await expect(enrolledCredentials({ dir, token: word, authority: 'other:9443' })).rejects.toThrow(
      'not at other:9443',
    );
    await expect(enrolledCredentials({ dir })).rejects.toThrow("wasn't enrolled");
    await enroll({ token: word, dir });
    await expect(enrolledCredentials({ dir, names: ['other.example'] })).rejects.toThrow(
      'not for other.example',
    );
    await expect(enrolledCredentials({ dir, authority: 'other:9443' })).rejects.toThrow('not at other:9443');
  });
});
