import type { X509Certificate } from './certificate.js';
import { isDnsName, normalizedEmail } from './host-name.js';
import { parseIp } from './ip-address.js';

/** An alternative name that no peer can ever match, and why, as the end of a sentence ("the name x …"). */
export interface UnmatchableName {
  /** As it stands in the certificate. */
  readonly name: string;
  /** Why, as the end of a sentence. */
  readonly problem: string;
}

/** The subject alternative names that never match what a peer expects, whatever that is. */
export function unmatchableNames(certificate: X509Certificate): UnmatchableName[] {
  return (certificate.subjectAltNames ?? []).flatMap(({ kind, value }) => {
    const problem =
      kind === 'dns'
        ? dnsProblem(value)
        : kind === 'email' && normalizedEmail(value) === undefined
          ? 'is no e-mail address'
          : kind === 'uri' && !value.includes('://')
            ? 'is no URI with a scheme and "://"'
            : undefined;
    return problem === undefined ? [] : [{ name: value as string, problem }];
  });
}

function dnsProblem(name: string): string | undefined {
  if (isDnsName(name, { wildcard: true, underscore: true }))
    return /^\*\.[^.]+$/.test(name) ? 'has its wildcard right below a top-level domain' : undefined;
  return formProblems.find(([is]) => is(name))?.[1] ?? "isn't of the form that host names have";
}

/** What people write there instead of a host's name, the likeliest first. */
const formProblems: readonly (readonly [is: (name: string) => boolean, problem: string])[] = [
  [(name) => name === '', 'is empty'],
  [(name) => name.includes('\0'), 'has a NUL character, which some programs take for its end'],
  [(name) => name.includes('://'), 'is a URL: a DNS name has no scheme'],
  [
    (name) => parseIp(name) !== undefined,
    'is an IP address written as a DNS name: it belongs into an IP address name',
  ],
  [(name) => /^[^:]+:\d+$/.test(name), 'has a port, which no certificate can name'],
  [(name) => /\s/.test(name), 'has a blank'],
  [(name) => name.includes('@'), 'is an e-mail address written as a DNS name'],
  [(name) => name.includes('/'), 'has a path'],
  [(name) => name.includes('*'), 'may have * only as its whole leftmost label'],
  [(name) => name.endsWith('.'), 'ends with a dot, which peers leave away'],
  [(name) => name.startsWith('.'), 'begins with a dot: *. stands for the hosts of a domain'],
  [(name) => /[^ -~]/.test(name), 'has characters outside ASCII: write it in punycode (xn--…)'],
  [(name) => name.length > 253, 'is over 253 characters long'],
  [(name) => name.split('.').some((label) => label.length > 63), 'has a label over 63 characters long'],
  [(name) => name.includes('..'), 'has an empty label'],
];
