/**
 * Where an entrance decides otherwise than an exam, and why. One that isn't listed fails the exam, and so does one
 * that is listed and doesn't diverge any more.
 */
import type { LimboCase } from '../x509/limbo.js';
import { privateDeviations, type Deviation } from '../x509/limbo-deviations.js';

export type Answer = Deviation['we'];

/** `asExam`: it answers as the exam asks, where the other entrances diverge. */
interface Exception {
  readonly we: Answer | 'asExam';
  readonly why: string;
}

const all = (we: Exception['we'], why: string, ids: readonly string[]): Record<string, Exception> =>
  Object.fromEntries(ids.map((id) => [id, { we, why }]));

const noDepth = all('accept', "It takes no limit of a chain's length; verifyPath does (maxDepth).", [
  'pathlen::max-chain-depth-0-exhausted',
  'pathlen::max-chain-depth-1-exhausted',
]);

const noDsa = all(
  'refuse',
  'DSA keys are accepted of nobody: TLS 1.3 has none, and every browser has left them.',
  ['pkits::4.1.4::ValidDSASignaturesTest4EE', 'pkits::4.1.5::ValidDSAParameterInheritanceTest5EE'],
);

/** Beside `privateDeviations`, which hold for every entrance. */
const exceptions: Readonly<Record<string, Readonly<Record<string, Exception>>>> = {
  verifyPath: noDsa,
  verifyChain: { ...noDepth, ...noDsa },
  'certs verify': { ...noDepth, ...noDsa },
  check: {
    ...noDepth,
    ...noDsa,
    ...all('accept', 'It takes no name; the chain itself is good. certs verify --name refuses.', [
      'rfc5280::san::ip-in-dns',
      'webpki::san::mismatch-apex-subdomain-san',
      'webpki::san::mismatch-domain-san',
      'webpki::san::mismatch-subdomain-apex-san',
      'webpki::san::mismatch-subdomain-san',
      'webpki::san::no-san',
      'webpki::san::public-suffix-wildcard-san',
      'webpki::san::san-wildcard-only',
      'webpki::san::san-wildcard-only-tld',
      'webpki::san::wildcard-embedded-leftmost-san',
      'webpki::san::wildcard-embedded-ulabel-san',
      'webpki::san::wildcard-match-across-labels-san',
      'webpki::san::wildcard-not-in-leftmost-san',
      'webpki::v1-cert',
    ]),
    ...all('accept', "A CA's certificate isn't judged as a peer: it lies among the files as a CA.", [
      'rfc5280::ca-as-leaf-wrong-san',
      'rfc5280::serial::negative',
      'webpki::ca-as-leaf',
      'pkits::4.6.6::InvalidpathLenConstraintTest6EE',
      'pkits::4.6.10::InvalidpathLenConstraintTest10EE',
      'pkits::4.6.12::InvalidpathLenConstraintTest12EE',
      'pkits::4.8.7::DifferentPoliciesTest7EE',
      'pkits::4.8.8::DifferentPoliciesTest8EE',
      'pkits::4.12.10::InvalidSelfIssuedinhibitAnyPolicyTest10EE',
      'pkits::4.14.11::InvalidonlyContainsUserCertsTest11EE',
    ]),
    ...all('asExam', "A CA's certificate isn't judged as a peer.", [
      'pathlen::validation-ignores-pathlen-in-leaf',
      'rfc5280::ca-as-leaf',
    ]),
    ...all(
      'accept',
      "It isn't told the purpose: a certificate without the server's is judged as a client's.",
      ['rfc5280::eku::ee-wrong-eku'],
    ),
  },
  connection: {
    ...noDepth,
    ...all(
      'refuse',
      "Node's tls shows a chain only as far as each certificate issued the one before it, so the path that the exam means isn't seen.",
      ['rfc5280::nc::nc-forbids-alternate-chain-ica', 'rfc5280::nc::nc-forbids-same-chain-ica'],
    ),
    ...all('refuse', 'OpenSSL itself finds no path here, and both must say yes.', ['cve::cve-2024-0567']),
  },
};

/** What an entrance is expected to answer otherwise than the exam, of the cases that it is given. */
export function exceptionsOf(entrance: string, cases: readonly LimboCase[]): Record<string, Answer> {
  const merged = { ...privateDeviations, ...exceptions[entrance] };
  return Object.fromEntries(
    cases.flatMap(({ id }) => {
      const we = merged[id]?.we;
      return we === undefined || we === 'asExam' ? [] : [[id, we]];
    }),
  );
}
