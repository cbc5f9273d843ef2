import { expect, it } from 'vitest';
import { FailureWarnings } from './failure-warnings.js';

it('remembers 64 kinds of failures, and takes all others for one kind', () => {
  const told: string[] = [];
  const warnings = new FailureWarnings((message) => told.push(message));
  for (let kind = 0; kind < 1_000; kind += 1) {
    const error = Object.assign(new Error('why'), { code: `KIND_${kind}` });
    warnings.warn({ what: 'a handler', error, where: '', advice: '' });
  }
  // Each kind is reported once a minute: a forgotten kind would be reported again.
  expect(told).toHaveLength(65);
  expect(told.at(-1)).toContain('KIND_64');
});
