import { expect, it } from 'vitest';
import { checkReference } from './check-reference.js';
import { withReference } from './reference.js';
import { readDocument } from './documents.js';

const { text } = readDocument('docs/check.md');

it('docs/check.md has every rule of the check, as the rule says it (npm run format writes it anew)', () => {
  expect(text).toBe(withReference(text, checkReference()));
});

it('tells a page apart that says something else', () => {
  expect(withReference(text.replace('### ciphers', '### cyphers'), checkReference())).toBe(text);
});
