import { isIPv4, isIPv6 } from '../node/net.js';

/** The bytes of an IP address in text (`192.0.2.1`, `::1`, `[::1]`): 4 or 16, or undefined where the text is none. */
export function parseIp(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  return isIPv6(bare) && !bare.includes('%') ? parseIpv6(bare) : undefined;
}

/** The one text of an address: dotted for IPv4, RFC 5952's form for IPv6. */
export function showIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[index * 2] as number) << 8) | (bytes[index * 2 + 1] as number),
  );
  const { start, length } = longestZeroRun(groups);
  const show = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return show(groups);
  return `${show(groups.slice(0, start))}::${show(groups.slice(start + length))}`;
}

function parseIpv6(text: string): Buffer {
  const [head, tail] = text.split('::') as [string, string?];
  const before = toGroups(head);
  const after = toGroups(tail ?? '');
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  const bytes = Buffer.alloc(16);
  [...before, ...zeros, ...after].forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  return bytes;
}

function toGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [parseInt(part, 16)];
    const quad = Buffer.from(part.split('.').map(Number));
    return [quad.readUInt16BE(0), quad.readUInt16BE(2)];
  });
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
