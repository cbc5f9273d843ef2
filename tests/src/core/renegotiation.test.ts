import { connect, lines, listen, type ClosedInfo, type SecureConnection } from '@knsock/core';
import { once } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import { forgingClient, forgingServer, recordType, type TakenOver } from '../support/forged-records.js';
import { bare } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** The least that counts as the message of each side that asks for another handshake: a type, and a body of no bytes. */
const asking = { client: Buffer.of(1, 0, 0, 0), server: Buffer.of(0, 0, 0, 0) };
/** As many as a record has room for. */
const flood = (message: Buffer) => Buffer.concat(Array.from({ length: 4_000 }, () => message));

const ALERT_LENGTH = 31;

function ask(attacker: TakenOver, messages: Buffer): void {
  attacker.socket.write(attacker.seal(recordType.handshake, messages));
}

/** The type and the length of the next record, which is protected. */
async function nextRecord({ socket }: TakenOver): Promise<{ type: number | undefined; length: number }> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return { type: chunk[0], length: chunk.length };
}

describe('a client that renegotiates', () => {
  const startServer = async (clientCertificates: 'none' | 'require') => {
    let accepted!: (connection: SecureConnection) => void;
    const accepting = new Promise<SecureConnection>((resolve) => (accepted = resolve));
    const options = { host: '127.0.0.1', port: 0, framing: lines(), credentials: world.server };
    const server = await listen({ ...options, clientCertificates }, (connection) => {
      connection.onMessage((message) => connection.write(message));
      accepted(connection);
    });
    const client = await forgingClient(portOf(server), 'TLSv1.2', bare(world.client));
    return { server, client, connection: await accepting };
  };

  it('is refused, and the connection goes on with the same peer', async () => {
    const { server, client, connection } = await startServer('require');
    await using _ = server;
    const { peer } = connection;
    for (let attempt = 0; attempt < 3; attempt++) {
      ask(client, asking.client);
      expect(await nextRecord(client)).toEqual({ type: recordType.alert, length: ALERT_LENGTH });
      client.socket.write(client.seal(recordType.data, Buffer.from('still here\n')));
      expect(await nextRecord(client)).toMatchObject({ type: recordType.data });
    }
    expect(connection.peer).toBe(peer);
    client.socket.destroy();
  });

  it.each(['none', 'require'] as const)(
    'again and again is disconnected, where client certificates are: %s',
    async (clientCertificates) => {
      const { server, client, connection } = await startServer(clientCertificates);
      await using _ = server;
      ask(client, flood(asking.client));
      const closed: ClosedInfo = await connection.closed;
      expect(closed.error).toMatchObject({ code: 'KNSOCK_HANDSHAKE_RENEGOTIATION' });
    },
  );
});

const connected = async (version: 'TLSv1.2' | 'TLSv1.3') => {
  let taken!: (attacker: TakenOver) => void;
  const taking = new Promise<TakenOver>((resolve) => (taken = resolve));
  const server = await forgingServer(version, bare(world.server), taken);
  const options = { host: 'localhost', port: server.port, framing: lines(), credentials: world.anonymous };
  const [connection, attacker] = await Promise.all([connect(options), taking]);
  return { server, connection, attacker };
};

describe('a server that renegotiates', () => {
  it('is refused, and the connection goes on with the same peer', async () => {
    const { server, connection, attacker } = await connected('TLSv1.2');
    await using _ = server;
    const { peer } = connection;
    for (let attempt = 0; attempt < 3; attempt++) {
      ask(attacker, asking.server);
      expect(await nextRecord(attacker)).toEqual({ type: recordType.alert, length: ALERT_LENGTH });
      attacker.socket.write(attacker.seal(recordType.data, Buffer.from('still here\n')));
      expect(String(await connection.receive())).toBe('still here');
    }
    expect(connection.peer).toBe(peer);
    connection.destroy();
  });

  it('again and again is disconnected, and its certificate is not read again each time', async () => {
    const { server, connection, attacker } = await connected('TLSv1.2');
    await using _ = server;
    let reads = 0;
    const { socket } = connection;
    const read = socket.getPeerCertificate.bind(socket);
    socket.getPeerCertificate = (detailed?: boolean) => {
      reads += 1;
      return read(detailed as true);
    };
    ask(attacker, flood(asking.server));
    const { error } = await connection.closed;
    expect(error).toMatchObject({ code: 'KNSOCK_HANDSHAKE_RENEGOTIATION' });
    expect(reads).toBe(0);
  });
});

describe('a TLS 1.3 server that asks for a certificate behind the handshake', () => {
  it('is disconnected, and the error says that the message may not come, not that it is no TLS', async () => {
    const { server, connection, attacker } = await connected('TLSv1.3');
    await using _ = server;
    // CertificateRequest (RFC 8446 4.3.2) with a context of one byte and signature_algorithms of one.
    const request = Buffer.of(13, 0, 0, 12, 1, 7, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3);
    ask(attacker, request);
    const { error } = await connection.closed;
    expect(error).toMatchObject({
      code: 'KNSOCK_HANDSHAKE_OTHER',
      message: expect.stringContaining(
        'the peer sent a message of TLS that may not come at this point',
      ) as string,
    });
  });
});
