/** Machines that enrol by token and renew by certificate, and those that must not. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCsr, openStore, type Store } from '@knsock/certs';
import {
  createToken,
  serveAuthority,
  withdrawToken,
  type AuthorityServer,
  type RefusedEnrolment,
  type TokenSecret,
} from '@knsock/certs/authority-server';
import { createCredentials, type Credentials } from '@knsock/core';
import { undiciConnector } from '@knsock/core/http';
import { parseCertificate, parseCrl, type X509Certificate } from '@knsock/core/x509';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let directory: string;
let store: Store;
let root: string;
let server: AuthorityServer;
let refused: RefusedEnrolment[];
const agents: Agent[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'knsock-est-'));
  store = await openStore(directory);
  ({ root } = await store.createAuthority({ commonName: 'Test CA', days: 30 }));
  refused = [];
  server = await serveAuthority({
    store,
    names: ['localhost'],
    port: 0,
    host: '127.0.0.1',
    onRefused: (one) => refused.push(one),
  });
});

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.destroy()));
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

interface Asked {
  readonly token?: TokenSecret | undefined;
  readonly as?: Credentials | undefined;
  readonly headers?: Record<string, string>;
}

interface Answered {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Record<string, string | string[] | undefined>;
}

async function ask(path: string, body: string | null, { token, as, headers }: Asked = {}): Promise<Answered> {
  const agent = new Agent({
    connect: undiciConnector({ credentials: as ?? createCredentials({ ca: root }) }),
  });
  agents.push(agent);
  const basic = token && `Basic ${Buffer.from(`${token.id}:${token.secret}`).toString('base64')}`;
  const answer = await request(`https://localhost:${portOf()}/.well-known/est/${path}`, {
    dispatcher: agent,
    method: body === null ? 'GET' : 'POST',
    body,
    headers: {
      ...(body !== null && { 'content-type': 'application/pkcs10' }),
      ...(basic !== undefined && { authorization: basic }),
      ...headers,
    },
  });
  return {
    status: answer.statusCode,
    body: Buffer.from(await answer.body.arrayBuffer()),
    headers: answer.headers,
  };
}

function portOf(): number {
  return 'port' in server.address ? server.address.port : 0;
}

const enrol = (csr: string, token: TokenSecret) => ask('simpleenroll', csr, { token });

/** The certificates in a PKCS#7 message that has nothing else: each is the value of an element of `[0]`. */
function certificatesIn({ body }: Answered): X509Certificate[] {
  const signed = contents(Buffer.from(body.toString(), 'base64'), 0, 1, 0);
  const all = elements(signed).find(({ tag }) => tag === 0xa0);
  return elements(all?.value ?? Buffer.alloc(0)).map(({ whole }) => parseCertificate(whole));
}

function contents(der: Buffer, ...path: number[]): Buffer {
  return path.reduce((value, index) => elements(value)[index]?.value ?? Buffer.alloc(0), der);
}

function elements(der: Buffer): { tag: number; value: Buffer; whole: Buffer }[] {
  const found = [];
  for (let at = 0; at < der.length;) {
    const first = der[at + 1] ?? 0;
    const digits = first < 0x80 ? 0 : first & 0x7f;
    const length = digits === 0 ? first : der.readUIntBE(at + 2, digits);
    const start = at + 2 + digits;
    found.push({
      tag: der[at] ?? 0,
      value: der.subarray(start, start + length),
      whole: der.subarray(at, start + length),
    });
    at = start + length;
  }
  return found;
}

async function clients(): Promise<number> {
  return (await store.certificates()).filter(({ kind }) => kind === 'client').length;
}

const agent7 = { kind: 'client', names: ['agent-7.example'] } as const;

describe('enrolment by token', () => {
  it('certifies the key of the request, for the names of the token', async () => {
    const token = await createToken(directory, { names: ['agent-7.example', 'spiffe://example/agent-7'] });
    const { csr, key } = await createCsr(agent7);
    const answer = await enrol(csr, token);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/pkcs7-mime; smime-type=certs-only');
    const [certificate] = certificatesIn(answer);
    expect(certificate?.dnsNames).toEqual(['agent-7.example']);
    expect(certificate?.uris).toEqual(['spiffe://example/agent-7']);
    expect(certificate?.basicConstraints?.ca ?? false).toBe(false);
    expect(createCredentials({ cert: certificate?.pem ?? '', key }).certificate?.serial).toBe(
      certificate?.serial,
    );
  });

  it('gives the same key the same certificate again, and another key none', async () => {
    const token = await createToken(directory, agent7);
    const { csr } = await createCsr(agent7);
    const [first] = certificatesIn(await enrol(csr, token));
    const [again] = certificatesIn(await enrol(csr, token));
    expect(again?.serial).toBe(first?.serial);
    expect((await enrol((await createCsr(agent7)).csr, token)).status).toBe(401);
    expect(refused).toMatchObject([{ reason: 'other-key', token: token.id, from: '127.0.0.1' }]);
    expect(await clients()).toBe(1);
  });

  it('issues one certificate to many that come with one token at once', async () => {
    const token = await createToken(directory, agent7);
    const requests = await Promise.all(Array.from({ length: 6 }, () => createCsr(agent7)));
    const answers = await Promise.all(requests.map(({ csr }) => enrol(csr, token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
    expect(await clients()).toBe(1);
  });

  it('issues no second certificate where a crash lost the note of the first', async () => {
    const token = await createToken(directory, agent7);
    const { csr } = await createCsr(agent7);
    const [first] = certificatesIn(await enrol(csr, token));
    const journal = join(directory, 'tokens.jsonl');
    const lines = (await readFile(journal, 'utf8')).trimEnd().split('\n');
    expect(lines.at(-1)).toContain('"enrolled"');
    await writeFile(journal, `${lines.slice(0, -1).join('\n')}\n{"event":"enro`);
    const [again] = certificatesIn(await enrol(csr, token));
    expect(again?.serial).toBe(first?.serial);
    expect(await clients()).toBe(1);
  });

  it('issues to the bound key where a crash came before the certificate, and to no other', async () => {
    const token = await createToken(directory, agent7);
    const { csr } = await createCsr(agent7);
    await enrol(csr, token);
    for (const file of ['tokens.jsonl', 'index.jsonl']) {
      const path = join(directory, file);
      const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
      await writeFile(path, `${lines.slice(0, -1).join('\n')}\n`);
    }
    expect((await enrol((await createCsr(agent7)).csr, token)).status).toBe(401);
  });

  it('tells a client nothing about why its token is refused, and the log all of it', async () => {
    const { csr } = await createCsr(agent7);
    const good = await createToken(directory, agent7);
    const withdrawn = await createToken(directory, agent7);
    await withdrawToken(directory, withdrawn.id);
    const expired = await createToken(directory, { ...agent7, expiresIn: 0.001 });
    const answers = [
      await enrol(csr, { ...good, secret: 'wrong' }),
      await enrol(csr, { ...good, id: 'unknown' }),
      await enrol(csr, withdrawn),
      await enrol(csr, expired),
    ];
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.toString()}`))).toEqual(
      new Set(['401 no such token\n']),
    );
    expect(refused.map(({ reason }) => reason)).toEqual([
      'wrong-secret',
      'unknown-token',
      'withdrawn-token',
      'expired-token',
    ]);
    expect(JSON.stringify(refused)).not.toContain(good.secret);
    expect(await readFile(join(directory, 'tokens.jsonl'), 'utf8')).not.toContain(good.secret);
  });

  it('lets an address guess ten times a minute', async () => {
    const { csr } = await createCsr(agent7);
    const token = await createToken(directory, agent7);
    for (let count = 0; count < 10; count += 1)
      expect((await enrol(csr, { ...token, secret: `guess ${count}` })).status).toBe(401);
    const answer = await enrol(csr, token);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(await clients()).toBe(0);
  });

  it('asks those without a token for one', async () => {
    const answer = await ask('simpleenroll', (await createCsr(agent7)).csr);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Basic realm="enrolment"']);
  });
});

describe('a request that can’t be granted', () => {
  const body = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');

  it.each<[string, number, () => Promise<string>]>([
    [
      'names outside the token',
      400,
      async () => (await createCsr({ kind: 'client', names: ['other.example'] })).csr,
    ],
    [
      'a signature that isn’t its own key’s',
      400,
      async () => {
        const der = Buffer.from(body((await createCsr(agent7)).csr), 'base64');
        // Within the name, so that it still is a request.
        const at = der.indexOf('agent-7');
        der.write('agent-8', at);
        return der.toString('base64');
      },
    ],
    ['bytes that are no request', 400, () => Promise.resolve(Buffer.from('garbage').toString('base64'))],
    ['what isn’t base64', 400, () => Promise.resolve('<csr/>')],
    ['nothing', 400, () => Promise.resolve(' ')],
    ['a hundred kilobytes', 413, () => Promise.resolve('A'.repeat(100_000))],
  ])('%s: leaves the token as it was', async (_what, status, make) => {
    const token = await createToken(directory, agent7);
    expect((await enrol(await make(), token)).status).toBe(status);
    expect(await clients()).toBe(0);
    expect((await enrol((await createCsr(agent7)).csr, token)).status).toBe(200);
  });

  it('another content type, and other paths and methods', async () => {
    const token = await createToken(directory, agent7);
    const { csr } = await createCsr(agent7);
    expect(
      (await ask('simpleenroll', csr, { token, headers: { 'content-type': 'text/plain' } })).status,
    ).toBe(415);
    expect((await ask('simpleenroll', null, { token })).status).toBe(404);
    expect((await ask('fullcmc', csr, { token })).status).toBe(404);
    expect((await ask('../../index.jsonl', null)).status).toBe(404);
  });
});

describe('renewal by certificate', () => {
  async function enrolled(): Promise<{ certificate: X509Certificate; as: Credentials }> {
    const token = await createToken(directory, agent7);
    const { csr, key } = await createCsr(agent7);
    const [certificate] = certificatesIn(await enrol(csr, token));
    if (certificate === undefined) throw new Error('nothing was enrolled');
    return { certificate, as: createCredentials({ cert: certificate.pem, key, ca: root }) };
  }

  it('certifies another key for the same names', async () => {
    const { certificate, as } = await enrolled();
    const answer = await ask(
      'simplereenroll',
      (await createCsr({ ...agent7, commonName: 'agent-7.example' })).csr,
      { as },
    );
    const [next] = certificatesIn(answer);
    expect(next?.subject.toString()).toBe(certificate.subject.toString());
    expect(next?.dnsNames).toEqual(certificate.dnsNames);
    expect(next?.serial).not.toBe(certificate.serial);
    expect(next?.spkiPin).not.toBe(certificate.spkiPin);
  });

  it.each<[string, { names: string[]; commonName: string }]>([
    ['other names', { names: ['other.example'], commonName: 'agent-7.example' }],
    ['a name more', { names: ['agent-7.example', 'other.example'], commonName: 'agent-7.example' }],
    ['another subject', { names: ['agent-7.example'], commonName: 'root' }],
  ])('refuses %s', async (_what, wanted) => {
    const { as } = await enrolled();
    const answer = await ask('simplereenroll', (await createCsr({ kind: 'client', ...wanted })).csr, { as });
    expect(answer.status).toBe(403);
    expect(refused).toMatchObject([{ reason: 'other-names' }]);
  });

  it('refuses who shows no certificate, a revoked one, or one that the store doesn’t know', async () => {
    const { csr } = await createCsr(agent7);
    expect((await ask('simplereenroll', csr)).status).toBe(403);
    const { certificate, as } = await enrolled();
    const authority = await store.authority();
    await authority.revoke(certificate.pem);
    expect((await ask('simplereenroll', csr, { as })).status).toBe(403);
    expect(refused.map(({ reason }) => reason)).toEqual(['no-certificate', 'revoked']);
  });
});

describe('what is served to everybody', () => {
  it('the authority’s certificates, attributes and health', async () => {
    const answer = await ask('cacerts', null);
    expect(certificatesIn(answer).map(({ pem }) => pem)).toEqual([parseCertificate(root).pem]);
    expect((await ask('csrattrs', null)).status).toBe(204);
    expect((await ask('health', null)).body.toString()).toBe('ok\n');
  });

  it('the revocation list, new as soon as something is revoked', async () => {
    const before = await ask('crl', null);
    const etag = String(before.headers['etag']);
    expect((await ask('crl', null, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const token = await createToken(directory, agent7);
    const [certificate] = certificatesIn(await enrol((await createCsr(agent7)).csr, token));
    await (await store.authority()).revoke(certificate?.pem ?? '');
    const after = await ask('crl', null, { headers: { 'if-none-match': etag } });
    expect(after.status).toBe(200);
    const revoked = parseCrl(after.body).entries.find(certificate?.serialBytes ?? Buffer.alloc(0));
    expect(revoked).toBeDefined();
  });
});
