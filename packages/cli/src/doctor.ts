/** Capabilities of this machine, its Node and its OpenSSL. */
import { getFips } from 'node:crypto';
import { arch, release } from 'node:os';
import { createSecureContext, rootCertificates, DEFAULT_MAX_VERSION, DEFAULT_MIN_VERSION } from 'node:tls';
import { isatty } from 'node:tty';
import { environment } from './environment.js';
import { version } from './version.js';

export type Findings = ReturnType<typeof examine>;

export function examine() {
  const { node, openssl } = process.versions;
  return {
    versions: { knsock: version(), node, openssl, system: `${process.platform} ${release()} ${arch()}` },
    tls: {
      versions: ['TLSv1.2', 'TLSv1.3'].filter((name) => accepts({ minVersion: name, maxVersion: name })),
      nodeDefaults: `${DEFAULT_MIN_VERSION} to ${DEFAULT_MAX_VERSION}`,
      postQuantumGroups: ['X25519MLKEM768', 'SecP256r1MLKEM768'].filter((group) =>
        accepts({ ecdhCurve: group }),
      ),
      groups: ['X25519', 'P-256', 'P-384', 'P-521'].filter((group) => accepts({ ecdhCurve: group })),
      fips: getFips() === 1,
      ed25519: accepts({ sigalgs: 'ed25519' }),
      rootCertificates: rootCertificates.length,
    },
    terminal: {
      input: isatty(0),
      output: isatty(1),
      errors: isatty(2),
      type: process.env['TERM'] ?? null,
    },
    environment: set(),
  };
}

/** As text, a line each. */
export function report({ versions, tls, terminal, environment: names }: Findings): string {
  const list = (words: readonly string[]): string => (words.length === 0 ? 'none' : words.join(', '));
  const streams = Object.entries({ input: terminal.input, output: terminal.output, errors: terminal.errors });
  return Object.entries({
    ...versions,
    'TLS versions': list(tls.versions),
    'post-quantum groups': list(tls.postQuantumGroups),
    'other groups': list(tls.groups),
    'Ed25519 signatures': yesNo(tls.ed25519),
    'FIPS mode': yesNo(tls.fips),
    'root certificates': String(tls.rootCertificates),
    'on a terminal': list(streams.filter(([, is]) => is).map(([name]) => name)),
    environment: list(names),
  })
    .map(([name, value]) => `${`${name}:`.padEnd(22)}${value}`)
    .join('\n');
}

/** The names of relevant variables that are set; not their values, which may be secret. */
function set(): string[] {
  const known = Object.keys(process.env).filter((name) => name.startsWith('KNSOCK_') || name in environment);
  return known.sort();
}

function accepts(options: object): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
