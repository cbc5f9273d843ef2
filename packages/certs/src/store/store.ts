/** A store: authorities and what they issue, in a folder that is safe against crashes and concurrent processes. */
import type { KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import {
  abortSignal,
  checkOptions,
  fileName,
  filePath,
  milliseconds,
  readAllOptions,
  required,
  string,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';
import { InvalidOptionError } from '@knsock/core/errors';
import { parseCertificates } from '@knsock/core/x509';
import { authorityFrom, type Authority } from '../authorities/authority.js';
import {
  authorityKey,
  authorityOptions,
  signAuthority,
  type AuthorityCertificate,
  type AuthorityKey,
  type AuthorityOptions,
} from '../issuing/authority-certificate.js';
import { readSigningAuthority } from '../issuing/signing-authority.js';
import { PUBLIC, readBytes, readIfThere, writeAtomic } from '../files/atomic-file.js';
import {
  makeDevelopmentChain,
  type DevelopmentAuthority,
  type DevelopmentAuthorityOptions,
} from '../authorities/development-authority.js';
import { CertificateError } from '../errors.js';
import { StoreIndex, type CertificateQuery, type StoredCertificate } from './store-index.js';
import { publicKeyDer, openPrivateKey } from '../keys/keys.js';
import { checkSigner, keyAtHand, keyOf, type Signer, type SigningKey } from '../keys/signer.js';
import { passphraseSource, readPassphrase, type PassphraseSource } from '../keys/passphrase.js';
import { StoreFolder } from './store-folder.js';
import { StoreLedger } from './store-ledger.js';
import { x509Library } from '../x509.js';

/** Options of `openStore`. */
export interface StoreOptions {
  /** Encrypts the authorities' keys; the keys of issued certificates stay unencrypted, for the servers that load them. */
  readonly passphrase?: PassphraseSource | undefined;
  /** How long to wait for each process that writes before this one, in ms; default 10,000. */
  readonly lockTimeout?: number | undefined;
  /** Ends every wait for the lock. */
  readonly signal?: AbortSignal | undefined;
}

const queryReaders: OptionReaders<CertificateQuery> = {
  serial: string,
  fingerprint: string,
  reference: string,
};

/** How each of them is read, and its default. */
export const storeOptions = {
  passphrase: passphraseSource,
  lockTimeout: withDefault<number>(milliseconds, 10_000),
  signal: abortSignal,
} as const satisfies OptionReaders<StoreOptions>;

/** Options of `Store.createAuthority`. */
export interface RootOptions extends AuthorityOptions {
  /** The name of its files; default `root`. */
  readonly file?: string | undefined;
  /**
   * The root of this store that the new one succeeds; its key signs the new one's (`ca/NAME.link`), so that machines
   * that trust the old root trust the new one.
   */
  readonly replaces?: string | undefined;
  /** Signs for the root in `replaces`; default the key in the store. */
  readonly replacesSigner?: Signer | undefined;
}

/** How each of them is read, and its default. */
export const rootOptions = {
  ...authorityOptions,
  file: withDefault<string>(fileName, 'root'),
  replaces: fileName<string | undefined>,
  replacesSigner: checkSigner,
} as const satisfies OptionReaders<RootOptions>;

/** The signer of an authority whose key isn't in its store. */
export interface AuthoritySigner {
  /** Holds the key outside this process; default the key in the store. */
  readonly signer?: Signer | undefined;
}

const signerReaders: OptionReaders<AuthoritySigner> = { signer: checkSigner };

/** The name of a development authority's files; its root's is `root`. */
const DEVELOPMENT = 'development';

/** A folder of authorities and certificates. */
export interface Store {
  /** Its folder. */
  readonly directory: string;
  /** Keys that other users can read, with the command that fixes it. */
  readonly warnings: readonly string[];
  /**
   * Creates a root authority as `ca/NAME.crt` and `.key`; the name defaults to `root`.
   * @throws CertificateError `KNSOCK_CERTIFICATE_EXISTS` where there is one.
   */
  createAuthority(options: RootOptions): Promise<Authority>;
  /**
   * Creates a development authority: `ca/root.crt` and `.crl`, `ca/development.crt` and `.key`; no root key.
   * @throws CertificateError `KNSOCK_CERTIFICATE_EXISTS` where there is one.
   */
  createDevelopmentAuthority(options?: DevelopmentAuthorityOptions): Promise<DevelopmentAuthority>;
  /**
   * Opens an authority; by default the only one that has its key here, or the one whose key the signer has.
   * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND`, `_KEY_ABSENT` or `_PASSPHRASE`.
   */
  authority(name?: string, options?: AuthoritySigner): Promise<Authority>;
  /** The names of the authorities here, with or without their keys. */
  authorities(): Promise<string[]>;
  /**
   * PEM: an authority's certificate, then its issuers, the root last. Its key isn't needed.
   * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND`.
   */
  chain(name?: string): Promise<string>;
  /** PEM: for each root that succeeds another, its name and key signed by that one (`ca/NAME.link`; RFC 7030 4.1.3). */
  links(): Promise<string[]>;
  /** Everything ever issued here, oldest first. */
  certificates(): Promise<StoredCertificate[]>;
  /** One of them, found by the query; only new lines of the index are read. */
  find(query: CertificateQuery): Promise<StoredCertificate | undefined>;
}

/**
 * Opens a store, creating its folder if missing, and completes what a crash interrupted.
 * @throws CertificateError if the folder or the passphrase can't be used.
 */
export async function openStore(directory: string, options: StoreOptions = {}): Promise<Store> {
  required(filePath)('directory', directory);
  const { passphrase: source, lockTimeout: timeout, signal } = readAllOptions(options, storeOptions);
  const passphrase = source === undefined ? undefined : await readPassphrase(source);
  const folder = new StoreFolder(resolve(directory), passphrase, { timeout, signal });
  await folder.prepare();
  return new FolderStore(folder, await folder.permissionWarnings());
}

class FolderStore implements Store {
  readonly directory: string;
  readonly warnings: readonly string[];
  readonly #folder: StoreFolder;
  readonly #index: StoreIndex;

  constructor(folder: StoreFolder, warnings: readonly string[]) {
    this.directory = folder.directory;
    this.warnings = warnings;
    this.#folder = folder;
    this.#index = new StoreIndex(folder.indexFile);
  }

  async createAuthority(given: RootOptions): Promise<Authority> {
    const { file: name, replaces, replacesSigner, ...options } = readAllOptions(given, rootOptions);
    if (replacesSigner !== undefined && replaces === undefined)
      throw new InvalidOptionError(
        'replacesSigner',
        'replacesSigner signs for the root in replaces: give both',
      );
    const library = await x509Library();
    const key = await authorityKey(options);
    const { certificate, record } = await signAuthority(library, options, key.signing);
    const old =
      replaces === undefined
        ? undefined
        : await this.#open(replaces, replacesSigner && keyOf(replacesSigner));
    const link =
      old &&
      (await signAuthority(
        library,
        { ...options, days: undefined },
        key.signing,
        readSigningAuthority(library, old.chain, old.key.signing),
      ));
    const ledger = new StoreLedger(this.#folder, name);
    const material = { certificate, chain: certificate, key: key.pem && (await ledger.protect(key.pem)) };
    await ledger.record(record, material, { file: name });
    if (link !== undefined && replaces !== undefined) await this.#keepLink(name, replaces, link);
    return this.authority(name, { signer: options.signer });
  }

  async links(): Promise<string[]> {
    const names = await this.#folder.names('ca', '.link');
    return Promise.all(
      names.map(async (name) => (await readBytes(this.#folder.linkFile(name))).toString('utf8')),
    );
  }

  /** Recorded by the authority that signed it, like everything it signs. */
  async #keepLink(name: string, old: string, { certificate, record }: AuthorityCertificate): Promise<void> {
    await new StoreLedger(this.#folder, old).record(
      record,
      { certificate, chain: certificate },
      { file: false },
    );
    await writeAtomic(this.#folder.linkFile(name), certificate, { mode: PUBLIC, overwrite: false });
  }

  async createDevelopmentAuthority(options: DevelopmentAuthorityOptions = {}): Promise<DevelopmentAuthority> {
    const { root, rootCrl, intermediate, key } = await makeDevelopmentChain(options);
    const ledger = new StoreLedger(this.#folder, 'root');
    const { certificate } = root;
    await ledger.record(root.record, { certificate, chain: certificate }, { file: 'root' });
    await ledger.publish(() => Promise.resolve(rootCrl));
    const chain = intermediate.certificate + certificate;
    const material = { certificate: intermediate.certificate, chain, key: await ledger.protect(key) };
    await ledger.record(intermediate.record, material, { file: DEVELOPMENT });
    return Object.assign(await this.authority(DEVELOPMENT), { rootCrl: rootCrl.pem, key: material.key });
  }

  async authority(name?: string, options: AuthoritySigner = {}): Promise<Authority> {
    fileName('name', name);
    checkOptions(options, signerReaders);
    const signing = options.signer && keyOf(options.signer);
    const chosen =
      name ?? (await (signing === undefined ? this.#onlyAuthority() : this.#authorityOf(signing.publicKey)));
    const { chain, key } = await this.#open(chosen, signing);
    return authorityFrom(await x509Library(), chain, key, new StoreLedger(this.#folder, chosen));
  }

  /** An authority's chain, and what signs for it: by default its key here. */
  async #open(
    chosen: string,
    signing: SigningKey | undefined,
  ): Promise<{ chain: string; key: AuthorityKey }> {
    const chain = await this.chain(chosen);
    if (signing !== undefined) return { chain, key: { signing, pem: undefined } };
    const { keyFile } = this.#folder.authorityFiles(chosen);
    const keyPem = await readIfThere(keyFile);
    if (keyPem === undefined) {
      const message = `the store has the certificate of "${chosen}" and not its key`;
      throw new CertificateError('KNSOCK_CERTIFICATE_KEY_ABSENT', message, { file: keyFile });
    }
    const key = await openPrivateKey(keyPem, this.#folder.passphrase);
    return { chain, key: { signing: keyAtHand(key), pem: keyPem } };
  }

  authorities(): Promise<string[]> {
    return this.#folder.names('ca', '.crt');
  }

  async chain(name?: string): Promise<string> {
    fileName('name', name);
    const { certFile } = this.#folder.authorityFiles(name ?? (await this.#onlyAuthority()));
    return (await readBytes(certFile)).toString('utf8');
  }

  certificates(): Promise<StoredCertificate[]> {
    return this.#index.all();
  }

  async find(query: CertificateQuery): Promise<StoredCertificate | undefined> {
    checkOptions(query, queryReaders);
    return await this.#index.find(query);
  }

  async #authorityOf(publicKey: KeyObject): Promise<string> {
    const wanted = publicKeyDer(publicKey);
    for (const name of await this.authorities()) {
      const [own] = parseCertificates(await this.chain(name));
      if (own?.publicKeyInfo.der.equals(wanted) === true) return name;
    }
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_NOT_FOUND',
      `no authority in ${this.directory} has the signer's key`,
    );
  }

  async #onlyAuthority(): Promise<string> {
    const names = await this.#folder.names('ca', '.key');
    const [only] = names;
    if (names.length === 1 && only !== undefined) return only;
    if (names.length > 1) throw severalAuthorities(names);
    const message = `there is no authority in ${this.directory}`;
    const hint = 'Make one first (knsock certs ca NAME), or is the store another folder?';
    throw new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', message, { hint });
  }
}

function severalAuthorities(names: readonly string[]): CertificateError {
  const message = `say which authority is meant: ${names.join(', ')}`;
  const hint = `Give its name, such as ${names[0] ?? ''} (the command: --authority ${names[0] ?? ''}).`;
  return new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', message, { hint });
}
