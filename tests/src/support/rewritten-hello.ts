/** Clients whose first bytes are not as their TLS library writes them. */
import { createServer, connect as tcpConnect, type AddressInfo, type Socket } from 'node:net';

/** A relay that rewrites the client's first bytes. */
export async function rewriting(port: number, rewrite: (hello: Buffer) => Buffer) {
  const relay = createServer((down) => {
    const up = tcpConnect(port, '127.0.0.1');
    for (const [one, other] of [
      [down, up],
      [up, down],
    ] as [Socket, Socket][]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    down.once('data', (hello) => {
      up.write(rewrite(hello));
      down.pipe(up);
    });
    up.pipe(down);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => relay.once('listening', resolve));
  return {
    port: (relay.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => relay.close(() => resolve())),
  };
}

/** Bytes before the client's first, in hex. */
export const before = (hex: string) => (hello: Buffer) => Buffer.concat([Buffer.from(hex, 'hex'), hello]);

/** The first record, split into records of a given size, with extra bytes between the first two. */
export function split(size: number, between = '') {
  return (bytes: Buffer): Buffer => {
    const end = 5 + bytes.readUInt16BE(3);
    const records: Buffer[] = [];
    for (let at = 5; at < end; at += size) {
      const part = bytes.subarray(at, Math.min(at + size, end));
      records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
      if (at === 5) records.push(Buffer.from(between, 'hex'));
    }
    return Buffer.concat([...records, bytes.subarray(end)]);
  };
}
