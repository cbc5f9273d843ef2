import * as certs from '@knsock/certs';
import { expect, it } from 'vitest';
import { readDocument } from './documents.js';
import { snippets } from './snippets.js';

const { text } = readDocument('docs/certificates.md');

it('every TypeScript block of docs/certificates.md is run', () => {
  const blocks = [...text.matchAll(/^```ts\n?(?<info>.*)$/gm)];
  expect(blocks.length).toBeGreaterThan(10);
  expect(blocks.filter(({ groups }) => !groups?.['info']?.includes('run='))).toEqual([]);
});

it('docs/certificates.md and docs/enrolment.md show every function of @knsock/certs', () => {
  const programs = [...snippets(text), ...snippets(readDocument('docs/enrolment.md').text)]
    .map(({ code }) => code)
    .join('\n');
  const functions = Object.entries(certs).filter(
    ([name, value]) => typeof value === 'function' && name !== 'CertificateError',
  );
  expect(
    functions.map(([name]) => name).filter((name) => !new RegExp(`\\b${name}\\(`).test(programs)),
  ).toEqual([]);
});
