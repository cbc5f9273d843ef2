/** The trust stores of this machine and user, and how a CA is added to each. */
import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { isInstalled, runProgram, succeeds } from './program.js';

/** A CA to be trusted. */
export interface TrustedCa {
  /** PEM, one certificate. */
  readonly file: string;
  /** Its name in the stores, unique to this certificate. */
  readonly alias: string;
}

export interface TrustStore {
  readonly name: StoreName;
  /** Who uses it. */
  readonly readers: string;
  /** Why it can't be used here; undefined if it can. */
  missing(): Promise<string | undefined>;
  has(ca: TrustedCa): Promise<boolean>;
  /** @throws UsageError `KNSOCK_TRUST_STORE` */
  add(ca: TrustedCa): Promise<void>;
  /** @throws UsageError `KNSOCK_TRUST_STORE` */
  remove(ca: TrustedCa): Promise<void>;
}

export const storeNames = ['system', 'nss', 'java'] as const;
export type StoreName = (typeof storeNames)[number];

export function trustStores(): readonly TrustStore[] {
  return [systemStore(), nss, java];
}

function systemStore(): TrustStore {
  if (process.platform === 'darwin') return keychain;
  return process.platform === 'win32' ? windows : debian;
}

const ANCHORS = '/usr/local/share/ca-certificates';

const debian: TrustStore = {
  name: 'system',
  readers: 'OpenSSL, curl, Python, Go, Node with --use-system-ca',
  missing: async () => {
    if (!(await isInstalled('update-ca-certificates'))) return "update-ca-certificates isn't installed";
    return process.getuid?.() === 0 ? undefined : 'only root may change it: run this with sudo and --ca FILE';
  },
  has: ({ alias }) => Promise.resolve(existsSync(anchor(alias))),
  add: async ({ file, alias }) => {
    await mkdir(ANCHORS, { recursive: true });
    await copyFile(file, anchor(alias));
    await runProgram('update-ca-certificates', []);
  },
  remove: async ({ alias }) => {
    await rm(anchor(alias), { force: true });
    await runProgram('update-ca-certificates', ['--fresh']);
  },
};

const anchor = (alias: string): string => path.join(ANCHORS, `${alias}.crt`);

/** Not tested by us. */
const keychain: TrustStore = {
  name: 'system',
  readers: 'Safari, Chrome and most programs (not tested by us on macOS)',
  missing: () => Promise.resolve(undefined),
  has: ({ file }) => succeeds('security', ['verify-cert', '-c', file]),
  add: ({ file }) =>
    runProgram('security', ['add-trusted-cert', '-r', 'trustRoot', '-k', loginKeychain(), file]),
  remove: ({ file }) => runProgram('security', ['remove-trusted-cert', file]),
};

const loginKeychain = (): string => path.join(homedir(), 'Library/Keychains/login.keychain-db');

/** Not tested by us. */
const windows: TrustStore = {
  name: 'system',
  readers: 'Edge, Chrome and most programs (not tested by us on Windows)',
  missing: () => Promise.resolve(undefined),
  has: async ({ file }) => succeeds('certutil', ['-user', '-verifystore', 'Root', await thumbprint(file)]),
  add: ({ file }) => runProgram('certutil', ['-user', '-addstore', 'Root', file]),
  remove: async ({ file }) => runProgram('certutil', ['-user', '-delstore', 'Root', await thumbprint(file)]),
};

/** Windows names certificates by SHA-1. */
async function thumbprint(file: string): Promise<string> {
  const { X509Certificate } = await import('node:crypto');
  return new X509Certificate(await readFile(file)).fingerprint.replaceAll(':', '');
}

const nss: TrustStore = {
  name: 'nss',
  readers: 'Chromium and Firefox of this user',
  missing: async () => {
    if (process.platform !== 'linux') return "browsers use the system's store here";
    return (await isInstalled('certutil')) ? undefined : "certutil isn't installed (Debian: libnss3-tools)";
  },
  has: async ({ alias }) => {
    const databases = await nssDatabases();
    for (const database of databases) if (!(await inDatabase(database, alias))) return false;
    return databases.length > 0;
  },
  add: async ({ file, alias }) => {
    await makeChromiumDatabase();
    for (const database of await nssDatabases())
      await runProgram('certutil', ['-A', '-d', database, '-t', 'C,,', '-n', alias, '-i', file]);
  },
  remove: async ({ alias }) => {
    for (const database of await nssDatabases())
      if (await inDatabase(database, alias))
        await runProgram('certutil', ['-D', '-d', database, '-n', alias]);
  },
};

const inDatabase = (database: string, alias: string): Promise<boolean> =>
  succeeds('certutil', ['-L', '-d', database, '-n', alias]);

const chromiumFolder = (): string => path.join(homedir(), '.pki/nssdb');

async function makeChromiumDatabase(): Promise<void> {
  const folder = chromiumFolder();
  if (existsSync(path.join(folder, 'cert9.db'))) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await runProgram('certutil', ['-N', '-d', `sql:${folder}`, '--empty-password']);
}

/** Chromium's, and one for each profile of Firefox. */
async function nssDatabases(): Promise<string[]> {
  const homes = ['.mozilla/firefox', 'snap/firefox/common/.mozilla/firefox'].map((at) =>
    path.join(homedir(), at),
  );
  const profiles = await Promise.all(
    homes.map(async (home) => (await readdir(home).catch(() => [])).map((name) => path.join(home, name))),
  );
  return [chromiumFolder(), ...profiles.flat()]
    .filter((folder) => existsSync(path.join(folder, 'cert9.db')))
    .map((folder) => `sql:${folder}`);
}

/** The password of every JDK's cacerts, which is no secret. */
const PASSWORD = ['-storepass', 'changeit'];

const java: TrustStore = {
  name: 'java',
  readers: 'programs on the Java of JAVA_HOME, else of PATH',
  missing: async () => {
    if (!(await isInstalled(keytool()))) return "keytool isn't installed";
    return undefined;
  },
  has: async ({ alias }) => (await javaAliases(alias)).length > 0,
  add: ({ file, alias }) =>
    runProgram(keytool(), [
      '-importcert',
      '-cacerts',
      ...PASSWORD,
      '-noprompt',
      '-alias',
      alias,
      '-file',
      file,
    ]),
  remove: async ({ alias }) => {
    for (const one of await javaAliases(alias))
      await runProgram(keytool(), ['-delete', '-cacerts', ...PASSWORD, '-alias', one]);
  },
};

/** Our alias, and the one under which Debian copies the system's store to Java's; Debian doesn't remove it. */
async function javaAliases(alias: string): Promise<string[]> {
  const found: string[] = [];
  for (const one of [alias, `debian:${alias}.pem`])
    if (await succeeds(keytool(), ['-list', '-cacerts', ...PASSWORD, '-alias', one])) found.push(one);
  return found;
}

function keytool(): string {
  const { JAVA_HOME = '' } = process.env;
  return JAVA_HOME === '' ? 'keytool' : path.join(JAVA_HOME, 'bin', 'keytool');
}
