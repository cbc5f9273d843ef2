import { lint, verifyChain } from '@knsock/certs';
import { toPem } from '@knsock/core/x509';
import { expect, it } from 'vitest';
import { basicConstraints, extendedKeyUsage, issue, keyUsage, now, subjectAltName } from '../x509/issue.js';

const leafFor = (uses: readonly ('any' | 'server')[]) => {
  const extensions = [
    basicConstraints(false),
    keyUsage(0),
    extendedKeyUsage(...uses),
    subjectAltName('DNS:a.test'),
  ];
  return toPem('CERTIFICATE', issue({ subject: 'CN=a.test', extensions }).der);
};

it.each([
  [['any'], ['any-usage']],
  [['any', 'server'], []],
] as const)('reports a usage of %j as a connection takes it', async (uses, rules) => {
  const chain = leafFor(uses);
  const findings = await lint(chain, { at: now });
  expect(findings.map(({ rule }) => rule).filter((rule) => rule === 'any-usage')).toEqual(rules);
  const verdict = await verifyChain({ chain, ca: chain, at: now });
  expect(verdict.ok).toBe(rules.length === 0);
});
