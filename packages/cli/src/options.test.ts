import { expect, it } from 'vitest';
import { bytes } from './options.js';

it.each([
  ['65536', 65_536],
  ['64KiB', 65_536],
  ['64K', 65_536],
  ['64k', 65_536],
  ['64kB', 64_000],
  ['1M', 1_048_576],
  ['1MB', 1_000_000],
  ['2GiB', 2_147_483_648],
])('reads the size %s as %d bytes', (text, size) => {
  expect(bytes(text)).toBe(size);
});

it.each(['0', '1Q', '1 MB', '-1', '1.5M', '1mb', 'MB', ''])('refuses %j as a size', (text) => {
  expect(() => bytes(text)).toThrow('It is a size such as');
});
