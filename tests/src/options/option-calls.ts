// One call of everything that takes options; the required ones are given. A wrong option is refused before anything is done.
import path from 'node:path';
import * as certs from '@knsock/certs';
import { acmeCredentials, letsEncryptStaging } from '@knsock/certs/acme';
import * as authorities from '@knsock/certs/authority-server';
import * as core from '@knsock/core';
import * as http from '@knsock/core/http';
import * as knSock from '@knsock/core/kn-sock';
import * as testing from '@knsock/core/testing';
import * as x509 from '@knsock/core/x509';
import { ConnectionPool, Pool } from '@knsock/pool';
import { TCPConnectionPool } from '@knsock/pool/kn-sock';
import { createWorld, portOf } from '../support/world.js';

/** Options, perhaps wrong ones. */
type Given = Readonly<Record<string, unknown>>;
export type OptionCall = (options: Given) => unknown;

const nothing = (): undefined => undefined;
const local = { host: '127.0.0.1', port: 1 };

/** What they are called on; all of it ends with the test. */
export interface OptionCalls extends AsyncDisposable {
  readonly calls: Readonly<Record<string, OptionCall>>;
  /** Where each exported function is found, and each method, by the name of its class. */
  readonly exported: Readonly<Record<string, unknown>>;
  readonly owners: Readonly<Record<string, object>>;
}

/** @param folder for files, and empty */
export async function optionCalls(folder: string): Promise<OptionCalls> {
  const world = await createWorld();
  const credentials = world.server;
  const listening = { port: 0, host: '127.0.0.1', credentials, clientCertificates: 'require' } as const;
  const server = await core.serve({ ...listening, credentials }, ({ payload }) => payload);
  const web = await http.serveHttp(listening, nothing);
  const connection = await core.connect({ ...local, port: portOf(server), credentials: world.client });
  const store = await certs.openStore(path.join(folder, 'store'));
  const empty = await certs.openStore(path.join(folder, 'empty'));
  const pool = new ConnectionPool({ endpoints: [local] });
  const things = new Pool({ create: () => ({}), destroy: nothing });
  const knPool = new TCPConnectionPool('127.0.0.1', 1);
  const { csr, key } = await certs.createCsr({ names: ['a.test'] });
  await store.createAuthority({ commonName: 'Test CA' });
  const pem = world.authority.root;
  const [certFile, keyFile, dir] = ['a.crt', 'a.key', 'machine'].map((name) => path.join(folder, name));
  const due = { certFile, keyFile, issuer: world.authority };
  const { signal } = new AbortController();
  const leaf = { kind: 'server', names: ['a.test'] };
  const acme = { domains: ['a.test.example.com'], directory: letsEncryptStaging, challenge: 'http-01', dir };
  const path1 = [x509.parseCertificate(pem)];
  const lines = core.lines();

  const calls: Record<string, (options: never) => unknown> = {
    listen: (options: Given) => core.listen({ ...listening, ...options }, nothing),
    serve: (options: Given) => core.serve({ ...listening, ...options }, () => ''),
    connect: (options: Given) => core.connect({ ...local, ...options }),
    checkConnectOptions: (options: Given) => core.checkConnectOptions({ ...local, ...options }),
    'SecureServer.rotate': (options: Given) => server.rotate(options),
    'SecureServer.close': (options: Given) => server.close(options),
    'SecureConnection.send': (options: Given) => connection.send('', options),
    'SecureConnection.onMessage': (options: Given) => {
      connection.onMessage(nothing, options);
    },
    'SecureConnection.receive': (options: Given) => connection.receive(options),
    'SecureConnection.request': (options: Given) => connection.request('', options),
    'SecureConnection.ping': (options: Given) => connection.ping(options),
    'SecureConnection.close': (options: Given) =>
      connection.close({ ...('text' in options && { code: 'x' }), ...options }),
    createCredentials: core.createCredentials,
    loadCredentials: core.loadCredentials,
    watchCredentials: ({ interval, signal: ends, onError, ...files }: Given) =>
      core.watchCredentials(files, { interval, signal: ends, onError } as never),
    crlRevocation: (options: Given) => core.crlRevocation({ crls: [], ...options }),
    json: (options: Given) => core.json(lines, options),
    knsock: core.knsock,
    lengthPrefixed: core.lengthPrefixed,
    lines: core.lines,
    raw: core.raw,
    serveHttp: (options: Given) => http.serveHttp({ ...listening, ...options }, nothing),
    'HttpServer.rotate': (options: Given) => web.rotate(options),
    'HttpServer.close': (options: Given) => web.close(options),
    SecureAgent: (options: Given) => new http.SecureAgent(options),
    undiciConnector: http.undiciConnector,
    startAsyncSslTcpServer: (options: Given) => knSock.startAsyncSslTcpServer(0, nothing, options),
    startSslTcpServer: (options: Given) => knSock.startSslTcpServer(0, nothing, options),
    sendSslTcpMessage: (options: Given) => knSock.sendSslTcpMessage('127.0.0.1', 1, '', options),
    sendSslTcpMessageAsync: (options: Given) => knSock.sendSslTcpMessageAsync('127.0.0.1', 1, '', options),
    sendSslTcpMessageSync: (options: Given) => knSock.sendSslTcpMessageSync('127.0.0.1', 1, '', options),
    verifyPath: (options: Given) =>
      x509.verifyPath({ leaf: pem, anchors: [], usage: 'server', ...options } as never),
    verifyPathSync: (options: Given) =>
      x509.verifyPathSync({ leaf: pem, anchors: [], usage: 'server', ...options } as never),
    validatePath: (options: Given) => x509.validatePath(path1, { usage: 'server', ...options } as never),
    certificatesIn: (options: Given) => x509.certificatesIn(pem, options),
    checkFraming: (options: Given) => {
      testing.checkFraming(lines, options);
    },
    framingRules: (options: Given) => testing.framingRules(lines, options),
    createAuthority: (options: Given) => certs.createAuthority({ commonName: 'A', ...options }),
    loadAuthority: (options: Given) =>
      certs.loadAuthority({ chain: '', ...('signer' in options ? {} : { key: '' }), ...options }),
    'Authority.issue': (options: Given) => world.authority.issue({ ...leaf, ...options } as never),
    'Authority.sign': (options: Given) => world.authority.sign(csr, { ...leaf, ...options } as never),
    'Authority.check': (options: Given) => world.authority.check(csr, { ...leaf, ...options } as never),
    'Authority.intermediate': (options: Given) =>
      world.authority.intermediate({ commonName: 'B', ...options }),
    'Authority.crl': (options: Given) => world.authority.crl(options),
    createDevelopmentAuthority: certs.createDevelopmentAuthority,
    createSelfSigned: (options: Given) => certs.createSelfSigned({ names: ['a.test'], ...options }),
    createCsr: (options: Given) => certs.createCsr({ names: ['a.test'], ...options }),
    convertKey: (options: Given) => certs.convertKey(key, options),
    keyToJwk: (options: Given) => certs.keyToJwk(key, options),
    fullChain: (options: Given) => certs.fullChain(pem, options),
    readContents: (options: Given) => certs.readContents(Buffer.from(pem), options),
    fingerprint: (options: Given) => certs.fingerprint(pem, options),
    inspect: (options: Given) => certs.inspect(pem, options),
    lint: (options: Given) => certs.lint(pem, options),
    verifyChain: (options: Given) => certs.verifyChain({ chain: pem, ca: pem, ...options }),
    openStore: (options: Given) => certs.openStore(path.join(folder, 'other'), options),
    'Store.createAuthority': (options: Given) => empty.createAuthority({ commonName: 'A', ...options }),
    'Store.createDevelopmentAuthority': (options: Given) => empty.createDevelopmentAuthority(options),
    'Store.find': (options: Given) => store.find(options as never),
    checkExpiry: certs.checkExpiry,
    needsRenewal: (options: Given) => certs.needsRenewal(pem, options),
    renew: (options: Given) => certs.renew({ ...due, ...options } as never),
    watchRenewal: (options: Given) => certs.watchRenewal({ ...due, signal, ...options } as never),
    enroll: (options: Given) => certs.enroll({ token: 'x', dir, ...options } as never),
    renewEnrolled: (options: Given) => certs.renewEnrolled({ dir, ...options } as never),
    watchEnrolled: (options: Given) => certs.watchEnrolled({ dir, signal, ...options } as never),
    enrolledCredentials: (options: Given) => certs.enrolledCredentials({ dir, ...options } as never),
    revocationSource: (options: Given) => certs.revocationSource({ crls: ['x'], ...options }),
    fetchCrls: (options: Given) => certs.fetchCrls(new URL('http://127.0.0.1:1/'), options),
    serveAuthority: (options: Given) =>
      authorities.serveAuthority({
        store,
        names: ['localhost'],
        port: 0,
        host: '127.0.0.1',
        ...options,
      }),
    webhookPolicy: (options: Given) => authorities.webhookPolicy({ url: 'https://localhost:1/', ...options }),
    barRenewal: (options: Given) => authorities.barRenewal(folder, 'a.test', options),
    createToken: (options: Given) => authorities.createToken(folder, { names: ['a.test'], ...options }),
    acmeCredentials: (options: Given) => acmeCredentials({ ...acme, ...options } as never),
    ConnectionPool: (options: Given) => new ConnectionPool({ endpoints: [local], ...options }),
    'ConnectionPool.ready': (options: Given) => pool.ready(options),
    'ConnectionPool.acquire': (options: Given) => pool.acquire(options),
    'ConnectionPool.use': (options: Given) => pool.use(nothing, options),
    'ConnectionPool.request': (options: Given) => pool.request('', options),
    'ConnectionPool.close': (options: Given) => pool.close(options),
    Pool: (options: Given) => new Pool({ create: nothing, destroy: nothing, ...options }),
    'Pool.acquire': (options: Given) => things.acquire(options),
    'Pool.tryAcquire': (options: Given) => things.tryAcquire(() => true, options),
    'Pool.use': (options: Given) => things.use(nothing, options),
    'Pool.ready': (options: Given) => things.ready(options),
    'Pool.close': (options: Given) => things.close(options),
    TCPConnectionPool: (options: Given) => new TCPConnectionPool('127.0.0.1', 1, options),
    'TCPConnectionPool.connection': (options: Given) => knPool.connection(options),
    'TCPConnectionPool.closeAll': (options: Given) => knPool.closeAll(options),
  };
  return {
    calls: calls as Record<string, OptionCall>,
    exported: {
      ...{ ...core, ...http, ...knSock, ...x509, ...testing },
      ...{ ...certs, ...authorities, acmeCredentials },
    },
    owners: {
      SecureConnection: connection,
      SecureServer: server,
      HttpServer: web,
      Pool: things,
      ConnectionPool: pool,
      TCPConnectionPool: knPool,
      Store: store,
      Authority: world.authority,
    },
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await Promise.all([server.close(), web.close(), pool.close(), things.close(), knPool.closeAll()]);
    },
  };
}
