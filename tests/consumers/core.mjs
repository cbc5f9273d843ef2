// What core does alone, from an ES module: read a certificate, fail with a code, check a framing.
import assert from 'node:assert/strict';
import { rootCertificates } from 'node:tls';
import { connect, ConnectionRefusedError, InvalidOptionError, lines } from '@knsock/core';
import { sendSslTcpMessageSync } from '@knsock/core/kn-sock';
import { EasySocketError } from '@knsock/core/errors';
import { lengthPrefixed } from '@knsock/core/framing';
import { serveHttp } from '@knsock/core/http';
import { parseCertificate } from '@knsock/core/x509';

assert.equal(typeof parseCertificate(rootCertificates[0]).subject, 'object');
assert.equal(lines().name, 'lines');
assert.equal(typeof lengthPrefixed().decoder, 'function');
assert.equal((await serveHttp({ port: 0 }, null).catch((error) => error)).option, 'app');

const misuse = await connect({ host: 'localhost', port: 65_536 }).catch((error) => error);
assert.ok(misuse instanceof InvalidOptionError && misuse instanceof EasySocketError);
assert.equal(misuse.option, 'port');

// The worker of blocking calls is found in the package, and its errors come back whole.
assert.throws(
  () => sendSslTcpMessageSync('127.0.0.1', 1, 'hello'),
  (error) => error instanceof ConnectionRefusedError && error.code === 'KNSOCK_CONNECTION_REFUSED',
);
