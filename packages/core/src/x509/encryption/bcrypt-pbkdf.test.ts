import { expect, it } from 'vitest';
import { bcryptPbkdf } from './bcrypt-pbkdf.js';
import { inTurns } from './derivation.js';

// The test vectors of OpenBSD's and Go's bcrypt_pbkdf.
const vectors = [
  [12, 'password', 'salt', '1ae42c05d487bc02f64921a4ebe4ea93bcacfe135fda99974c06b7b01fae149a'],
  [4, 'password', 'salt', '5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9'],
] as const;

it.each(vectors)('derives what OpenBSD does, by %i rounds', async (iterations, passphrase, salt, key) => {
  const parameters = {
    passphrase: Buffer.from(passphrase),
    salt: Buffer.from(salt),
    iterations,
    length: key.length / 2,
  };
  expect((await inTurns(bcryptPbkdf(parameters))).toString('hex')).toBe(key);
});

it('stops after each bcrypt, so that an event loop has its turns', () => {
  const parameters = { passphrase: Buffer.of(1), salt: Buffer.of(2), iterations: 3, length: 64 };
  expect([...bcryptPbkdf(parameters)]).toHaveLength(4);
});
