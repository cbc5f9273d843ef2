import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCsr, readCsr } from './csr.js';

const der = async (): Promise<Buffer> => {
  const { csr } = await createCsr({ kind: 'client', names: ['agent-7'] });
  return Buffer.from(csr.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
};

/** Whether it is read, and its signature found valid. */
const holds = (bytes: Buffer): Promise<boolean> =>
  readCsr(bytes).then(
    ({ signatureValid }) => signatureValid,
    () => false,
  );

it(
  "a request holds by the bytes that were signed: with any one bit changed it doesn't",
  { timeout: 60_000 },
  async () => {
    const request = await der();
    expect(await holds(request)).toBe(true);
    for (let at = 0; at < request.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = Buffer.from(request);
        changed[at] = (changed[at] as number) ^ (1 << bit);
        if (await holds(changed)) throw new Error(`it holds with bit ${bit} of byte ${at} changed`);
      }
    }
  },
);

/** What editors and blocks of a disk leave behind a file, which every reader of DER here passes over. */
const PADDING = [0x00, 0x0a, 0x0d, 0x20];

it('a request with anything but padding behind it is none', async () => {
  const request = await der();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 9 }), async (more) => {
      fc.pre(more.some((byte) => !PADDING.includes(byte)));
      await expect(readCsr(Buffer.concat([request, more]))).rejects.toMatchObject({
        code: 'KNSOCK_CERTIFICATE_MALFORMED',
      });
    }),
    { numRuns: 100, examples: [[Uint8Array.of(0, 1)], [Uint8Array.of(0x30, 0x00)]] },
  );
});

it('a request with padding behind it is read', async () => {
  const request = await der();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...PADDING), { minLength: 1, maxLength: 9 }),
      async (padding) => {
        expect(await holds(Buffer.concat([request, Buffer.from(padding)]))).toBe(true);
      },
    ),
    { numRuns: 20 },
  );
});
