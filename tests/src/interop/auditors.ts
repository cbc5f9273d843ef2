/** What other auditors say of a server, in one form: by version, the names of its suites in IANA's words. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { knsock } from '../support/command.js';

const run = promisify(execFile);

/** Version, as in `TLSv1.2`, to the numbers or names of its suites, sorted. */
export type Suites = Readonly<Record<string, readonly string[]>>;

export interface CheckReport {
  readonly findings: readonly { readonly rule: string; readonly severity: string }[];
  readonly facts: {
    readonly versions: readonly {
      readonly version: string;
      readonly suites: readonly string[];
      readonly groups: readonly string[];
    }[];
    readonly serverPreference?: boolean;
  };
}

export async function checked(port: number): Promise<CheckReport> {
  const { stdout, stderr } = await knsock(['check', `localhost:${port}`, '--json', '--fail-on', 'never']);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as CheckReport;
}

export function suitesOf({ facts }: CheckReport): Suites {
  return sorted(facts.versions.map(({ version, suites }) => [version, suites]));
}

/** sslscan's XML; it names suites in OpenSSL's words, and gives their numbers. */
export async function sslscan(port: number, nameOf: (number: number) => string): Promise<Suites> {
  const { stdout } = await run('sslscan', ['--no-colour', '--xml=-', `localhost:${port}`], {
    maxBuffer: 1 << 24,
  });
  const found = new Map<string, string[]>();
  for (const [, version = '', id = ''] of stdout.matchAll(
    /<cipher status="(?:accepted|preferred)" sslversion="([^"]+)".* id="0x([0-9A-F]+)"/g,
  )) {
    const name = version === 'TLSv1.0' ? 'TLSv1' : version;
    found.set(name, [...(found.get(name) ?? []), nameOf(Number.parseInt(id, 16))]);
  }
  return sorted([...found]);
}

/** nmap's ssl-enum-ciphers, in XML: a table a version, a table a suite. */
export async function nmap(port: number): Promise<Suites> {
  const script = ['--script', 'ssl-enum-ciphers', '-oX', '-', '-Pn', '-n', '-p', String(port)];
  const { stdout } = await run('nmap', [...script, 'localhost'], { maxBuffer: 1 << 24 });
  const found: [string, string[]][] = [];
  for (const part of stdout.split(/<table key="(?=(?:TLS|SSL)v)/).slice(1)) {
    const version = part.slice(0, part.indexOf('"'));
    const names = [...part.matchAll(/<elem key="name">(TLS_[^<]+)<\/elem>/g)].map(([, name = '']) => name);
    found.push([version === 'TLSv1.0' ? 'TLSv1' : version, names.map(ianaName)]);
  }
  return sorted(found);
}

/** testssl.sh's findings in JSON, by their ids. */
export async function testssl(port: number, args: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'knsock-testssl-'));
  try {
    const file = path.join(folder, 'out.json');
    const manner = ['--warnings', 'off', '--color', '0', '--ip', '127.0.0.1', '--jsonfile', file];
    await run('testssl', [...manner, ...args, `localhost:${port}`], { maxBuffer: 1 << 24 }).catch(
      () => undefined,
    );
    const list = JSON.parse(await readFile(file, 'utf8')) as { id: string; finding: string }[];
    return new Map(list.map(({ id, finding }) => [id, finding]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** nmap names the suites of TLS 1.3 by what they would be called before it. */
function ianaName(name: string): string {
  return name.startsWith('TLS_AKE_WITH_') ? name.replace('TLS_AKE_WITH_', 'TLS_') : name;
}

function sorted(entries: readonly (readonly [string, readonly string[]])[]): Suites {
  return Object.fromEntries(
    [...entries]
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([version, names]) => [version, [...new Set(names)].sort()]),
  );
}
