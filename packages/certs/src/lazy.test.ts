import { createRequire } from 'node:module';
import { expect, it } from 'vitest';

it('loads the X.509 library with the first certificate, not before', async () => {
  const { cache } = createRequire(import.meta.url);
  const isLoaded = () => Object.keys(cache).some((file) => file.includes('@peculiar'));
  const { createSelfSigned, lint } = await import('./index.js');
  expect(isLoaded()).toBe(false);
  const { certificate } = await createSelfSigned({ names: ['a.test'] });
  expect(isLoaded()).toBe(true);
  expect(await lint(certificate)).toEqual([]);
});
