import { expect, it } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { listen, serve } from './on-demand.js';

const own = makeCertificate({ commonName: 'us', names: ['us.test'], usage: 'server' });
const credentials = createCredentials({ cert: own.pem, key: own.keyPem });

it.each([
  ['listen', listen],
  ['serve', serve],
])('%s listens, and rejects with the error, also after earlier calls', async (_, start) => {
  for (let time = 0; time < 2; time += 1) {
    await expect(start({ port: -1, credentials }, () => undefined as never)).rejects.toMatchObject({
      code: 'KNSOCK_INVALID_OPTION',
      option: 'port',
    });
    await using server = await start({ port: 0, host: '127.0.0.1', credentials }, () => undefined as never);
    expect(server.address).toMatchObject({ address: '127.0.0.1' });
  }
});
