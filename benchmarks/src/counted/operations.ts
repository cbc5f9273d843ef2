/** What is counted rather than timed: hot paths without sockets, prepared so that a run is nothing but the operation. */
import { createAuthority } from '@knsock/certs';
import {
  checkConnectOptions,
  createCredentials,
  json,
  knsock,
  lengthPrefixed,
  lines,
  type ConnectOptions,
  type Framing,
} from '@knsock/core';
import { encodeAll } from '@knsock/core/testing';
import { parseCertificates, validatePath, verifyPath } from '@knsock/core/x509';
import { Pool } from '@knsock/pool';

/** Prepares an operation; what it returns does it `times` times. */
type Operation = () => Prepared | Promise<Prepared>;
type Prepared = (times: number) => void | Promise<void>;

const SMALL = 32;
const LARGE = 65_536;
const NOWHERE = { buffer: Buffer.alloc(1_024), reserve: () => 0, append: () => undefined };
const NOTHING = { message: () => undefined };

export const operations: Readonly<Record<string, Operation>> = {
  ...framed('lines', lines()),
  ...framed('length-prefixed', lengthPrefixed()),
  ...framed('json over length-prefixed', json(lengthPrefixed()) as unknown as Framing),
  ...framed('knsock', knsock()),
  'verifyPath, a leaf and an intermediate': async () => {
    const authority = await createAuthority({ commonName: 'Root', days: 2 });
    const { chain } = await authority.issue({ kind: 'client', names: ['client.test'], days: 1 });
    const [leaf, ...intermediates] = parseCertificates(chain);
    if (leaf === undefined) throw new Error('the authority issued nothing');
    const anchors = parseCertificates(authority.certificate);
    return async (times) => {
      for (let n = 0; n < times; n += 1) {
        const result = await verifyPath({ leaf, intermediates, anchors, usage: 'client' });
        if (!result.ok) throw new Error(result.message);
      }
    };
  },
  'validatePath, a path verified before': async () => {
    const authority = await createAuthority({ commonName: 'Root', days: 2 });
    const { chain } = await authority.issue({ kind: 'client', names: ['client.test'], days: 1 });
    const path = parseCertificates(chain + authority.certificate);
    return (times) => {
      for (let n = 0; n < times; n += 1)
        if (!validatePath(path, { usage: 'client' }).ok) throw new Error('the path is good');
    };
  },
  'createCredentials from PEM': async () => {
    const authority = await createAuthority({ commonName: 'Root', days: 2 });
    const { certificate: cert, key } = await authority.issue({ kind: 'server', names: ['a.test'], days: 1 });
    return (times) => {
      for (let n = 0; n < times; n += 1) createCredentials({ cert, key, ca: authority.certificate });
    };
  },
  'connect options, another object each time': checking((options) => ({ ...options })),
  'connect options, the same frozen object': checking((options) => options),
  'pool, acquire and release': () => {
    const pool = new Pool({ max: 10, create: (): object => ({}) });
    return async (times) => {
      for (let n = 0; n < times; n += 1) (await pool.acquire()).release();
    };
  },
};

/** What `connect` does with its options before anything else. */
function checking(given: (options: ConnectOptions) => ConnectOptions): Operation {
  return () => {
    const options = Object.freeze({
      host: 'localhost',
      port: 5433,
      framing: lengthPrefixed(),
      credentials: createCredentials({}),
    });
    return (times) => {
      for (let n = 0; n < times; n += 1) checkConnectOptions(given(options));
    };
  };
}

function framed(name: string, framing: Framing): Record<string, Operation> {
  return {
    [`${name}, encode 32 B`]: encoding(framing, SMALL),
    [`${name}, decode 32 B`]: decoding(framing, SMALL),
    [`${name}, decode 64 KiB`]: decoding(framing, LARGE),
  };
}

function encoding(framing: Framing, size: number): Operation {
  const payload = payloadOf(size);
  return () => (times) => {
    for (let n = 0; n < times; n += 1) framing.encode(payload, NOWHERE);
  };
}

/** Sixteen messages a chunk, as they come from a busy peer; large ones one a chunk. */
function decoding(framing: Framing, size: number): Operation {
  const together = size === SMALL ? 16 : 1;
  return () => {
    const chunk = encodeAll(
      framing,
      Array.from({ length: together }, () => payloadOf(size)),
    );
    const decoder = framing.decoder({ maxMessageBytes: 1_048_576 });
    return (times) => {
      for (let n = 0; n < times; n += together) decoder.push(chunk, NOTHING);
    };
  };
}

/** Text of JSON, so that every framing takes it. */
function payloadOf(size: number): Buffer {
  return Buffer.from(JSON.stringify('x'.repeat(size - 2)));
}
