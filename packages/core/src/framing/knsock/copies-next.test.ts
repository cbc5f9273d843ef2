import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MemoryOutput } from '../../testing/memory-output.js';
import { encodeFrame, FrameDecoder, Kind } from './index.js';

it('returns frames unchanged where memory that copiesNext speaks of is used again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 40 }),
      (sent, sizes) => {
        const out = new MemoryOutput();
        for (const [index, payload] of sent.entries()) encodeFrame(Kind.REQUEST, index + 1, payload, out);
        const received: Buffer[] = [];
        const decoder = new FrameDecoder({ maxMessageBytes: 300 });
        const sink = { frame: (_kind: number, _id: number, body: Buffer) => void received.push(body) };
        const bytes = Buffer.from(out.bytes());
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          const end = Math.min(bytes.length, at + size);
          const lent = Buffer.from(bytes.subarray(at, Math.min(end, at + decoder.copiesNext)));
          decoder.push(lent, sink);
          lent.fill(0xee);
          decoder.push(bytes.subarray(at + lent.length, end), sink);
          at = end;
        }
        decoder.end();
        expect(received.map((body) => [...body])).toEqual(sent.map((payload) => [...payload]));
      },
    ),
  );
});
