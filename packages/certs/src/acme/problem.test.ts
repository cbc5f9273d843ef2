import { expect, it } from 'vitest';
import { problemError, readProblem } from './problem.js';

const now = new Date('2030-01-01T00:00:00Z');
const error = (type: string, more: object = {}, retryAfter?: string) =>
  problemError(readProblem({ type: `urn:ietf:params:acme:error:${type}`, detail: 'because', ...more }), {
    what: 'the order',
    host: 'ca.test',
    now,
    retryAfter,
  });

it.each([
  ['rateLimited', 'KNSOCK_ACME_RATE_LIMITED'],
  ['unauthorized', 'KNSOCK_ACME_ACCOUNT'],
  ['connection', 'KNSOCK_ACME_VALIDATION'],
  ['dns', 'KNSOCK_ACME_VALIDATION'],
  ['caa', 'KNSOCK_ACME_VALIDATION'],
  ['userActionRequired', 'KNSOCK_ACME_ACCOUNT'],
  ['externalAccountRequired', 'KNSOCK_ACME_ACCOUNT'],
  ['accountDoesNotExist', 'KNSOCK_ACME_ACCOUNT'],
  ['rejectedIdentifier', 'KNSOCK_ACME_REFUSED'],
  ['serverInternal', 'KNSOCK_ACME_DIRECTORY'],
  ['invalidProfile', 'KNSOCK_ACME_PROFILE'],
  ['somethingNew', 'KNSOCK_ACME_REFUSED'],
  ['toString', 'KNSOCK_ACME_REFUSED'],
])('explains %s', (type, code) => {
  const made = error(type);
  expect(made).toMatchObject({ code, problem: type });
  expect(made.message).toBe(`ca.test refused the order (${type}): because`);
  expect(made.hint).not.toBe('');
});

it.each([
  [
    'tls-alpn-01',
    443,
    'port 443 of a.test must be reachable from the CA, and lead to this machine',
    '--port',
  ],
  ['tls-alpn-01', 8_443, 'reachable from the CA, and lead to port 8443 of this machine', '--port'],
  [
    'http-01',
    8_080,
    'port 80 of a.test must be reachable from the CA, and lead to port 8080',
    '--acme-http-port',
  ],
  [
    'http-01',
    undefined,
    "port 80 of a.test must be reachable from the CA, and lead to the program's",
    'httpChallenges',
  ],
] as const)('says which way a validation by %s takes to port %s', (challenge, port, words, given) => {
  const context = { what: 'the validation of a.test', host: 'ca.test', now };
  const validation = { names: 'a.test', challenge, port };
  for (const type of ['connection', 'unauthorized', 'tls', 'incorrectResponse']) {
    const problem = readProblem({ type: `urn:ietf:params:acme:error:${type}`, detail: 'refused' });
    const { message, hint } = problemError(problem, { ...context, validation });
    expect(message).toContain(words);
    expect(hint).toContain(given);
    expect(hint).toContain(`? Open port ${challenge === 'http-01' ? 80 : 443} at every A and AAAA record`);
  }
  const dns = readProblem({ type: 'urn:ietf:params:acme:error:dns', detail: 'no records' });
  expect(problemError(dns, { ...context, validation }).message).not.toContain('reachable');
});

it("says when a limited account may ask again, by seconds or by a date of the server's clock", () => {
  const inAnHour = Date.now() + 3_600_000;
  for (const header of ['3600', 'Tue, 01 Jan 2030 01:00:00 GMT']) {
    const { retryAt, message } = error('rateLimited', {}, header);
    expect(Math.abs((retryAt?.getTime() ?? 0) - inAnHour)).toBeLessThan(5_000);
    expect(message).toContain(retryAt?.toISOString());
  }
  expect(error('rateLimited', {}, 'soon').retryAt).toBeUndefined();
});

it('tells a name that is not proved from an account that is not admitted', () => {
  const problem = readProblem({ type: 'urn:ietf:params:acme:error:unauthorized', detail: '404' });
  const context = { what: 'the validation of a.test', host: 'ca.test', now };
  const validation = { names: 'a.test', challenge: 'http-01', port: 80 } as const;
  expect(problemError(problem, { ...context, validation }).code).toBe('KNSOCK_ACME_VALIDATION');
  expect(problemError(problem, context).code).toBe('KNSOCK_ACME_ACCOUNT');
});

it('names the page that the CA wants the user to open', () => {
  const { message } = error('userActionRequired', { instance: 'https://ca.test/agree' });
  expect(message).toBe('ca.test refused the order (userActionRequired): because; https://ca.test/agree');
});

it('lists the names that a problem is about, a few of them', () => {
  const about = (value: string) => ({
    type: 'urn:ietf:params:acme:error:caa',
    detail: 'CAA forbids',
    identifier: { type: 'dns', value },
  });
  const subproblems = Array.from({ length: 50 }, (_, index) => about(`n${index}.test`));
  const { message } = error('compound', { subproblems });
  expect(message).toContain('because; n0.test: CAA forbids; n1.test: CAA forbids');
  expect(message).not.toContain('n10.test');
});

it.each([[undefined], [null], ['text'], [[]], [{ type: 1, detail: {}, subproblems: 'x' }]])(
  'reads %j as a problem of an unknown type',
  (value) => {
    expect(readProblem(value)).toEqual({ type: 'unknown', detail: '', page: '', subproblems: [] });
  },
);

it('escapes and cuts what the server says', () => {
  const { message } = error('dns', { detail: `\u001B[31m${'x'.repeat(10_000)}` });
  expect(message).not.toContain('\u001B');
  expect(message.length).toBeLessThan(700);
});
