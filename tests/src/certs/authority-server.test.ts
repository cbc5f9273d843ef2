/** Machines that enrol by token and renew by certificate, and those that must not. */
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createCsr, createSelfSigned, openStore, type Store } from '@knsock/certs';
import {
  barRenewal,
  createToken,
  listTokens,
  serveAuthority,
  webhookPolicy,
  withdrawToken,
  type AuthorityServer,
  type AuthorityServerOptions,
  type EnrolledCertificate,
  type EnrolmentPolicy,
  type RefusedEnrolment,
  type TokenSecret,
} from '@knsock/certs/authority-server';
import { createCredentials, type Credentials } from '@knsock/core';
import { undiciConnector } from '@knsock/core/http';
import { parseCertificate, parseCrl, type X509Certificate } from '@knsock/core/x509';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

let directory: string;
let store: Store;
let root: string;
let server: AuthorityServer;
let refused: RefusedEnrolment[];
let enrolledOnes: EnrolledCertificate[];
const agents: Agent[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'knsock-est-'));
  store = await openStore(directory);
  ({ root } = await store.createAuthority({ commonName: 'Test CA', days: 30 }));
  await restart();
});

/** Serves the store anew, with these options. */
async function restart(options: Partial<AuthorityServerOptions> = {}): Promise<void> {
  await (server as AuthorityServer | undefined)?.close();
  refused = [];
  enrolledOnes = [];
  server = await serveAuthority({
    store,
    names: ['localhost'],
    port: 0,
    host: '127.0.0.1',
    onRefused: (one) => refused.push(one),
    onEnrolled: (one) => enrolledOnes.push(one),
    ...options,
  });
}

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

describe('a store that is gone for a while', () => {
  it.each(['moved', 'unmounted'])('fails requests without spending their tokens (%s)', async (how) => {
    const failures: { code?: string }[] = [];
    await restart({ onError: (error) => void failures.push(error as { code?: string }) });
    const token = await createToken(directory, { names: ['a.test'] });
    const { csr } = await createCsr({ names: ['a.test'] });
    await rename(directory, `${directory}-away`);
    if (how === 'unmounted') await mkdir(directory);
    try {
      const answer = await enrol(csr, token);
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
      expect(answer.body.toString()).not.toContain(directory);
      expect(failures).toMatchObject([{ code: 'KNSOCK_CERTIFICATE_STORE' }]);
      expect(refused).toEqual([]);
      await expect(createToken(directory, { names: ['b.test'] })).rejects.toMatchObject({
        code: 'KNSOCK_CERTIFICATE_STORE',
      });
      for (const use of [store.certificates(), store.find({ serial: '1' })])
        await expect(use).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_STORE' });
    } finally {
      if (how === 'unmounted') await rm(directory, { recursive: true });
      await rename(`${directory}-away`, directory);
    }
    expect((await enrol(csr, token)).status).toBe(200);
  });

  it('gives no revocation list, old or new, and says when to ask again', async () => {
    const failures: { code?: string }[] = [];
    await restart({
      onError: (error) => void failures.push(error as { code?: string }),
      crlListen: { port: 0, host: '127.0.0.1' },
    });
    const plain = async () => {
      const {
        statusCode: status,
        headers,
        body,
      } = await request(server.crlUrl?.replace('localhost', '127.0.0.1') ?? '');
      return { status, headers, body: Buffer.from(await body.arrayBuffer()) };
    };
    expect((await ask('crl', null)).status).toBe(200);
    await rename(directory, `${directory}-away`);
    try {
      for (const answer of [await ask('crl', null), await plain()]) {
        expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
        expect(answer.body.toString()).not.toContain(directory);
      }
      expect(failures.map(({ code }) => code)).toEqual(Array(2).fill('KNSOCK_CERTIFICATE_STORE'));
    } finally {
      await rename(`${directory}-away`, directory);
    }
    expect((await ask('crl', null)).status).toBe(200);
    expect((await plain()).status).toBe(200);
  });
});

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

  it('issues the same certificate again for the same key, and none for another', async () => {
    const token = await createToken(directory, agent7);
    const { csr } = await createCsr(agent7);
    const [first] = certificatesIn(await enrol(csr, token));
    const [again] = certificatesIn(await enrol(csr, token));
    expect(again?.serial).toBe(first?.serial);
    expect((await enrol((await createCsr(agent7)).csr, token)).status).toBe(401);
    expect(refused).toMatchObject([{ reason: 'other-key', token: token.id, from: '127.0.0.1' }]);
    expect(await clients()).toBe(1);
  });

  it('issues one certificate for concurrent requests with one token', async () => {
    const token = await createToken(directory, agent7);
    const requests = await Promise.all(Array.from({ length: 6 }, () => createCsr(agent7)));
    const answers = await Promise.all(requests.map(({ csr }) => enrol(csr, token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
    expect(await clients()).toBe(1);
  });

  it('issues no second certificate after a crash lost the record of the first', async () => {
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

  it('issues only to the bound key after a crash before the certificate', async () => {
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

  it('gives the reason for refusing a token to the log, and not to the client', async () => {
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
      new Set(['401 ']),
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

  it('allows an address ten guesses a minute', async () => {
    const { csr } = await createCsr(agent7);
    const token = await createToken(directory, agent7);
    for (let count = 0; count < 10; count += 1)
      expect((await enrol(csr, { ...token, secret: `guess ${count}` })).status).toBe(401);
    const answer = await enrol(csr, token);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(await clients()).toBe(0);
  });

  it('asks clients without a token for one', async () => {
    const answer = await ask('simpleenroll', (await createCsr(agent7)).csr);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Basic realm="enrolment"']);
  });
});

describe('a token of several uses', () => {
  const fleet = {
    allow: ['*.agents.example'],
    names: ['spiffe://example/agents/{name}'],
    uses: 2,
    days: 1 / 24,
  };
  const agent = (name: string) => createCsr({ kind: 'client', names: [name] });

  it('certifies that many keys, each for the allowed name that it requested', async () => {
    const token = await createToken(directory, fleet);
    const [a, b, c] = [
      await agent('a.agents.example'),
      await agent('b.agents.example'),
      await agent('c.agents.example'),
    ];
    const [first] = certificatesIn(await enrol(a.csr, token));
    expect([first?.dnsNames, first?.uris]).toEqual([
      ['a.agents.example'],
      ['spiffe://example/agents/a.agents.example'],
    ]);
    const life = (first?.notAfter.getTime() ?? 0) - (first?.notBefore.getTime() ?? 0);
    expect(life).toBe(3_599_000);
    expect((await enrol((await agent('elsewhere.example')).csr, token)).status).toBe(400);
    expect((await enrol(b.csr, token)).status).toBe(200);
    expect((await enrol(c.csr, token)).status).toBe(401);
    expect((await enrol(a.csr, token)).status).toBe(200);
    expect(await clients()).toBe(2);
    const [facts] = await listTokens(directory);
    expect(facts).toMatchObject({ id: token.id, state: 'used', uses: 2 });
    expect(facts?.enrolled.map(({ from, serial }) => ({ from, serial }))).toContainEqual({
      from: '127.0.0.1',
      serial: first?.serial,
    });
  });

  it('adds no name if the request has none', async () => {
    const token = await createToken(directory, fleet);
    const { csr } = await createCsr({ kind: 'client', commonName: 'root' });
    expect((await enrol(csr, token)).status).toBe(400);
    expect((await listTokens(directory))[0]?.enrolled).toEqual([]);
  });
});

describe("the authority's own decisions in addition to the token", () => {
  it('names outside its own constraints, before a use is spent', async () => {
    const issuing = await (
      await store.authority('root')
    ).intermediate({
      commonName: 'Issuing',
      file: 'issuing',
      nameConstraints: { permitted: ['example'] },
    });
    await restart({ authority: 'issuing', names: ['ca.example'] });
    const token = await createToken(directory, { names: ['agent-7.elsewhere'] });
    const to = { token, as: createCredentials({ ca: issuing.root }) };
    const agentOf = new Agent({
      connect: undiciConnector({ credentials: to.as, dangerouslySkipVerification: true }),
    });
    agents.push(agentOf);
    const answer = await request(`https://localhost:${portOf()}/.well-known/est/simpleenroll`, {
      dispatcher: agentOf,
      method: 'POST',
      body: (await createCsr({ kind: 'client', names: ['agent-7.elsewhere'] })).csr,
      headers: {
        'content-type': 'application/pkcs10',
        authorization: `Basic ${Buffer.from(`${token.id}:${token.secret}`).toString('base64')}`,
      },
    });
    expect([answer.statusCode, await answer.body.text()]).toEqual([
      400,
      expect.stringContaining('agent-7.elsewhere'),
    ]);
    expect((await listTokens(directory)).map(({ state }) => state)).toEqual(['open']);
  });

  it('patterns and the maximum validity, whatever a token says', async () => {
    await restart({ permit: ['*.example', 'spiffe://example/*'], maxDays: 1 / 24 });
    const { csr } = await createCsr({ kind: 'client', names: ['agent-7.elsewhere'] });
    expect((await enrol(csr, await createToken(directory, { names: ['agent-7.elsewhere'] }))).status).toBe(
      403,
    );
    expect(refused).toMatchObject([{ reason: 'policy' }]);
    const token = await createToken(directory, { ...agent7, days: 30 });
    const [certificate] = certificatesIn(await enrol((await createCsr(agent7)).csr, token));
    expect(certificate?.notAfter.getTime()).toBeLessThan(Date.now() + 3_600_001);
  });

  it.each<[string, EnrolmentPolicy, number, string | undefined]>([
    ['allows', () => ({ allow: true }), 200, undefined],
    ['refuses with its reason', () => ({ allow: false, reason: 'not today' }), 403, 'policy'],
    ['says nothing', () => undefined as never, 503, 'policy-failed'],
    ["says a word that isn't a decision", () => 'yes' as never, 503, 'policy-failed'],
    ['says something like yes', () => Promise.resolve({ allow: 1 } as never), 503, 'policy-failed'],
    ['says nothing of allowing', () => ({ error: 'no such tenant' }) as never, 503, 'policy-failed'],
    [
      'grants a validity that is no number',
      () => ({ allow: true, days: '2' }) as never,
      503,
      'policy-failed',
    ],
    ['fails', () => Promise.reject(new Error('down')), 503, 'policy-failed'],
    ['grants no life', () => ({ allow: true, days: 0 }), 503, 'policy-failed'],
  ])('a policy that %s', async (_what, policy, status, reason) => {
    await restart({ policy });
    const token = await createToken(directory, agent7);
    expect((await enrol((await createCsr(agent7)).csr, token)).status).toBe(status);
    expect(refused.map((one) => one.reason)).toEqual(reason === undefined ? [] : [reason]);
    expect((await listTokens(directory))[0]?.enrolled.length).toBe(status === 200 ? 1 : 0);
  });

  it('is asked by a web service, with all that would be granted', async () => {
    const asked: unknown[] = [];
    const service = createServer((incoming, outgoing) => {
      void text(incoming).then((body) => {
        asked.push(JSON.parse(body));
        outgoing.end(JSON.stringify({ allow: true, days: 1 / 48 }));
      });
    });
    service.listen(0, '127.0.0.1');
    await once(service, 'listening');
    const { port } = service.address() as AddressInfo;
    await restart({ policy: webhookPolicy({ url: `http://127.0.0.1:${port}/` }) });
    const token = await createToken(directory, agent7);
    const [certificate] = certificatesIn(await enrol((await createCsr(agent7)).csr, token));
    expect(asked).toMatchObject([
      {
        operation: 'enroll',
        token: token.id,
        names: agent7.names,
        kind: 'client',
        days: 1,
        from: '127.0.0.1',
      },
    ]);
    expect(certificate?.notAfter.getTime()).toBeLessThan(Date.now() + 1_800_001);
    service.close();
    service.closeAllConnections();
    await once(service, 'close');
    const other = await createToken(directory, agent7);
    expect((await enrol((await createCsr(agent7)).csr, other)).status).toBe(503);
  });
});

describe("a request that can't be granted", () => {
  const body = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');

  it.each<[string, number, () => Promise<string>]>([
    [
      'names outside the token',
      400,
      async () => (await createCsr({ kind: 'client', names: ['other.example'] })).csr,
    ],
    [
      "a signature that isn't its own key's",
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
    ["what isn't base64", 400, () => Promise.resolve('<csr/>')],
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
    expect(await ask('simpleenroll', null, { token })).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
    });
    expect(await ask('cacerts', csr)).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect((await ask('fullcmc', csr, { token })).status).toBe(404);
    expect((await ask('../../index.jsonl', null)).status).toBe(404);
  });
});

describe('an answer', () => {
  it('carries its length and is sent whole, also to EST clients that read no chunked body', async () => {
    const token = await createToken(directory, agent7);
    const { csr } = await createCsr(agent7);
    const answers = await Promise.all([
      ask('cacerts', null),
      ask('crl', null),
      ask('health', null),
      ask('nothing', null),
      ask('health', csr),
      ask('simpleenroll', csr),
      ask('simpleenroll', csr, { token, headers: { 'content-type': 'text/plain' } }),
      ask('simplereenroll', csr),
      enrol(csr, token),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 405, 401, 415, 403, 200]);
    for (const { headers, body } of answers) {
      expect(headers).not.toHaveProperty('transfer-encoding');
      expect(headers['content-length']).toBe(String(body.length));
    }
    // Bouncy Castle's client fails where the answer that demands the token has a body.
    expect(answers.filter(({ body }) => body.length === 0).map(({ status }) => status)).toEqual([401]);
  });

  it('has base64 without line ends, which some EST clients take for digits', async () => {
    expect((await ask('cacerts', null)).body.toString()).toMatch(/^[A-Za-z0-9+/]{100,}={0,2}$/);
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

  it('gives a renewed certificate the validity of the one before', async () => {
    const token = await createToken(directory, { ...agent7, days: 1 / 24 });
    const { csr, key } = await createCsr({ ...agent7, commonName: 'agent-7.example' });
    const [certificate] = certificatesIn(await enrol(csr, token));
    const as = createCredentials({ cert: certificate?.pem ?? '', key, ca: root });
    const [next] = certificatesIn(await ask('simplereenroll', csr, { as }));
    expect((next?.notAfter.getTime() ?? 0) - (next?.notBefore.getTime() ?? 0)).toBe(3_599_000);
    expect(enrolledOnes).toMatchObject([
      { operation: 'enroll', token: token.id, from: '127.0.0.1' },
      { operation: 'renew', token: undefined },
    ]);
  });

  it('refuses a barred name, until the bar is lifted', async () => {
    const { as } = await enrolled();
    const { csr } = await createCsr({ ...agent7, commonName: 'agent-7.example' });
    await barRenewal(directory, 'agent-7.example');
    expect((await ask('simplereenroll', csr, { as })).status).toBe(403);
    expect(refused).toMatchObject([{ reason: 'barred' }]);
    await barRenewal(directory, 'agent-7.example', { barred: false });
    expect((await ask('simplereenroll', csr, { as })).status).toBe(200);
  });

  describe('once it has expired', () => {
    const named = { ...agent7, commonName: 'agent-7.example' };
    const header = ({ der }: X509Certificate) => ({ 'x-expired-certificate': der.toString('base64') });

    /** One that ended a minute ago, of this store. */
    async function expired(): Promise<{ certificate: X509Certificate; csr: string; key: string }> {
      const { csr, key } = await createCsr(named);
      const authority = await store.authority();
      vi.useFakeTimers({ now: Date.now() - 121_000, toFake: ['Date'] });
      const { certificate } = await authority.sign(csr, {
        kind: 'client',
        names: named.names,
        subject: { commonName: named.commonName },
        days: 1 / 1_440,
        file: false,
      });
      vi.useRealTimers();
      return { certificate: parseCertificate(certificate), csr, key };
    }

    it('refuses it, if the authority has no grace period', async () => {
      const { certificate, csr } = await expired();
      expect((await ask('simplereenroll', csr, { headers: header(certificate) })).status).toBe(403);
      expect(refused).toMatchObject([{ reason: 'expired' }]);
    });

    it('renews it within the grace, for its own key and names alone, unless it is revoked', async () => {
      await restart({ expiredGrace: 3_600_000 });
      const { certificate, csr, key } = await expired();
      const headers = header(certificate);
      expect((await ask('simplereenroll', (await createCsr(named)).csr, { headers })).status).toBe(403);
      const renamed = await createCsr({ ...named, names: ['other.example'], privateKey: key });
      expect((await ask('simplereenroll', renamed.csr, { headers })).status).toBe(403);
      const answer = await ask('simplereenroll', csr, { headers });
      expect(certificatesIn(answer)[0]?.spkiPin).toBe(certificate.spkiPin);
      const stranger = await createSelfSigned({ ...named, privateKey: key });
      expect(
        (await ask('simplereenroll', csr, { headers: header(parseCertificate(stranger.certificate)) }))
          .status,
      ).toBe(403);
      await (await store.authority()).revoke(certificate.pem);
      expect((await ask('simplereenroll', csr, { headers })).status).toBe(403);
      expect(refused.map(({ reason }) => reason)).toEqual([
        'no-certificate',
        'other-names',
        'not-issued-here',
        'revoked',
      ]);
    });
  });

  it("refuses a client without a certificate, with a revoked one, or with one that isn't in the store", async () => {
    const { csr } = await createCsr(agent7);
    expect((await ask('simplereenroll', csr)).status).toBe(403);
    const { certificate, as } = await enrolled();
    const authority = await store.authority();
    await authority.revoke(certificate.pem);
    expect((await ask('simplereenroll', csr, { as })).status).toBe(403);
    expect(refused.map(({ reason }) => reason)).toEqual(['no-certificate', 'revoked']);
  });
});

describe('what is served to all clients', () => {
  it("the authority's certificates, attributes and health", async () => {
    const answer = await ask('cacerts', null);
    expect(certificatesIn(answer).map(({ pem }) => pem)).toEqual([parseCertificate(root).pem]);
    expect((await ask('csrattrs', null)).status).toBe(204);
    expect((await ask('health', null)).body.toString()).toBe('ok\n');
  });

  it('the revocation list over plain HTTP, at the location in certificates', async () => {
    await restart({ crlListen: { port: 0, host: '127.0.0.1' } });
    const token = await createToken(directory, agent7);
    const [certificate] = certificatesIn(await enrol((await createCsr(agent7)).csr, token));
    const named = certificate?.crlDistributionPoints?.flatMap(({ names }) => names);
    expect(named).toEqual([{ kind: 'uri', value: server.crlUrl }]);
    await (await store.authority()).revoke(certificate?.pem ?? '');
    const answer = await request(server.crlUrl?.replace('localhost', '127.0.0.1') ?? '');
    const list = parseCrl(Buffer.from(await answer.body.arrayBuffer()));
    expect(list.entries.find(certificate?.serialBytes ?? Buffer.alloc(0))).toBeDefined();
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
