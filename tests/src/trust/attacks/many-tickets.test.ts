import { connect, lines } from '@knsock/core';
import { beforeAll, expect, it } from 'vitest';
import { forgingServer, recordType, type TakenOver } from '../../support/forged-records.js';
import { collectGarbage } from '../../support/collect-garbage.js';
import { bare } from '../../support/raw-tls.js';
import { createWorld, type World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** A NewSessionTicket (RFC 8446 4.6.1) with a ticket of four bytes. */
const ticket = (number: number): Buffer => {
  const body = Buffer.alloc(4 + 4 + 1 + 1 + 2 + 4 + 2);
  body.writeUInt32BE(7_200);
  body[8] = 1;
  body[11] = 4;
  body.writeUInt32BE(number, 12);
  return Buffer.concat([Buffer.of(4, 0, 0, body.length), body]);
};

it('of a server that is not trusted yet fill no memory', async () => {
  let taken!: (attacker: TakenOver) => void;
  const taking = new Promise<TakenOver>((resolve) => (taken = resolve));
  await using server = await forgingServer('TLSv1.3', bare(world.server), taken);
  const giveUp = new AbortController();
  const connecting = connect({
    host: 'localhost',
    port: server.port,
    framing: lines(),
    credentials: world.anonymous,
    signal: giveUp.signal,
    authorize: () => new Promise(() => undefined),
  });
  const attacker = await taking;
  const before = memory();
  const tickets = 20_000;
  for (let number = 0; number < tickets; number += 500) {
    const batch = Array.from({ length: 500 }, (_, at) => ticket(number + at));
    attacker.socket.write(attacker.seal(recordType.handshake, Buffer.concat(batch)));
  }
  // Its connection is read to the end before it is noticed.
  attacker.socket.end();
  await expect(connecting).rejects.toThrow();
  expect(memory() - before).toBeLessThan(4 * 1_048_576);
});

function memory(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
