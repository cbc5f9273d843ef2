import { afterEach, expect, it, vi } from 'vitest';
import { needsTools, toolPath } from '../interop/tools.js';

afterEach(() => vi.unstubAllEnvs());

it('finds a program in PATH', () => {
  expect(toolPath('node')).toBeDefined();
  expect(toolPath('no-such-program')).toBeUndefined();
});

it('fails where a required program is missing', (context) => {
  vi.stubEnv('KNSOCK_REQUIRE_TOOLS', '1');
  expect(() => needsTools(context, 'node', 'no-such-program')).toThrow('no-such-program not installed');
});

it('says nothing where every program is there', (context) => {
  vi.stubEnv('KNSOCK_REQUIRE_TOOLS', '1');
  expect(() => needsTools(context, 'node')).not.toThrow();
});
