// The same through require: the classes are the ones that an import gives.
const assert = require('node:assert/strict');
const { connect, ConnectionRefusedError, InvalidOptionError } = require('@knsock/core');
const { sendSslTcpMessageSync } = require('@knsock/core/kn-sock');
const { EasySocketError } = require('@knsock/core/errors');

connect({ host: 'localhost', port: 65_536 }).then(
  () => assert.fail('connected to an impossible port'),
  (error) => {
    assert.ok(error instanceof InvalidOptionError && error instanceof EasySocketError);
    assert.equal(error.code, 'KNSOCK_INVALID_OPTION');
  },
);

assert.throws(
  () => sendSslTcpMessageSync('127.0.0.1', 1, 'hello'),
  (error) => error instanceof ConnectionRefusedError && error.code === 'KNSOCK_CONNECTION_REFUSED',
);
