/** Puts messages of 256 KiB together and prints how many pages the kernel had to provide for each. */
import { lengthPrefixed } from '@knsock/core';

const SIZE = 262_144;
const decoder = lengthPrefixed().decoder({ maxMessageBytes: SIZE });
const frame = Buffer.alloc(4 + SIZE, 'x');
frame.writeUInt32BE(SIZE);
const chunks: Buffer[] = [];
for (let at = 0; at < frame.length; at += 16_384) chunks.push(frame.subarray(at, at + 16_384));

function decode(messages: number): void {
  let rest = messages;
  const sink = { message: () => (rest -= 1) };
  while (rest > 0) for (const chunk of chunks) decoder.push(chunk, sink);
}

decode(2_000);
const before = process.resourceUsage().minorPageFault;
decode(2_000);
console.log((process.resourceUsage().minorPageFault - before) / 2_000);
