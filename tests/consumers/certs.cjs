// Certificates through require.
const assert = require('node:assert/strict');
const { X509Certificate } = require('node:crypto');
const { createAuthority } = require('@knsock/certs');

async function main() {
  const authority = await createAuthority({ commonName: 'Consumer CA' });
  const { certificate } = await authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1'] });
  assert.equal(new X509Certificate(certificate).checkIP('127.0.0.1'), '127.0.0.1');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
