import {
  ClientCertificateRefusedError,
  connect,
  listen,
  serve,
  lines,
  raw,
  lengthPrefixed,
  json,
  knsock,
} from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

describe('mutual TLS over the knsock framing', () => {
  it('carries messages and multiplexed requests', async () => {
    await using server = await serve(
      { port: 0, host: '127.0.0.1', credentials: world.server, clientCertificates: 'require' },
      ({ payload, peer }) => `${peer?.commonNames[0]}: ${payload.toString()}`,
    );
    const client = await connect({ host: 'localhost', port: portOf(server), credentials: world.client });
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => client.request(text)));
    expect(answers.map(String)).toEqual(['app: a', 'app: b', 'app: c']);
    await client.close();
    expect(await client.closed).toEqual({ clean: true });
  });

  it('sends a client without a certificate the reason of its refusal', async () => {
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: world.server, clientCertificates: 'require' },
      () => undefined,
    );
    const refused = connect({ host: 'localhost', port: portOf(server), credentials: world.anonymous });
    await expect(refused).rejects.toBeInstanceOf(ClientCertificateRefusedError);
    await expect(refused).rejects.toMatchObject({
      reason: 'no-certificate',
      code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED',
    });
  });

  it('resumes a session and verifies it again', async () => {
    await using server = await serve(
      { port: 0, host: '127.0.0.1', credentials: world.server, clientCertificates: 'require' },
      ({ payload }) => payload,
    );
    const options = { host: 'localhost', port: portOf(server), credentials: world.client };
    const first = await connect(options);
    await first.request('x');
    await first.close();
    const second = await connect(options);
    expect(second.tls.resumed).toBe(true);
    expect(second.peer?.commonNames).toEqual(first.peer?.commonNames);
    expect(String(await second.request('y'))).toBe('y');
    await second.close();
  });
});

describe.each([
  ['lines', lines()],
  ['length-prefixed', lengthPrefixed()],
  ['knsock', knsock()],
  ['raw', raw()],
] as const)('the %s framing', (_name, framing) => {
  it('echoes what a listener writes back', async () => {
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: world.server, framing },
      (connection) => connection.onMessage((message) => connection.write(message)),
    );
    const client = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
      framing,
    });
    await client.send('hello');
    expect(String(await client.receive())).toBe('hello');
    await client.close();
    expect((await client.closed).clean).not.toBe(false);
  });
});

it('validates JSON both ways', async () => {
  const framing = json<{ n: number }>(knsock());
  await using server = await serve(
    { port: 0, host: '127.0.0.1', credentials: world.server, framing },
    ({ payload }) => ({ n: payload.n + 1 }),
  );
  const client = await connect({
    host: 'localhost',
    port: portOf(server),
    credentials: world.anonymous,
    framing,
  });
  expect(await client.request({ n: 1 })).toEqual({ n: 2 });
  await client.close();
});
