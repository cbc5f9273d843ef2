import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acmeCredentials } from './acme/acme-credentials.js';
import { letsEncryptStaging } from './acme/directories.js';
import { createAuthority, loadAuthority, type Authority } from './authorities/authority.js';
import { fullChain } from './keys/chain.js';
import { createCsr } from './issuing/csr.js';
import { createDevelopmentAuthority } from './authorities/development-authority.js';
import { enroll } from './enrolling/enroll.js';
import { renewEnrolled } from './enrolling/renew-enrolled.js';
import { knownAuthority } from './enrolment/known-authority.js';
import { barRenewal, createToken, listTokens, withdrawToken } from './enrolment/tokens.js';
import { checkExpiry } from './inspecting/expiry.js';
import { convertKey } from './formats/formats.js';
import { inspect } from './inspecting/inspect.js';
import { createSelfSigned } from './issuing/issue.js';
import { lint } from './inspecting/lint.js';
import { renew } from './renewal/renew.js';
import { needsRenewal } from './renewal/renewal.js';
import { revocationSource } from './revocation/revocation-source.js';
import { openStore } from './store/store.js';
import { verifyChain } from './inspecting/verify-chain.js';
import { watchRenewal } from './renewal/watch-renewal.js';

let folder: string;
let authority: Authority;
let csr: string;
let leafPem: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-options-'));
  authority = await createAuthority({ commonName: 'Test CA' });
  leafPem = (await createSelfSigned({ names: ['a.test'] })).certificate;
  ({ csr } = await createCsr({ names: ['a.test', 'b.test'], organization: 'Acme' }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const acme = { domains: ['a.example'], directory: letsEncryptStaging, challenge: 'tls-alpn-01' } as const;

const leaf = { kind: 'server', names: ['a.test'] } as const;

describe("an option that doesn't exist, or is of another kind, is refused by its name", () => {
  it.each<[string, (options: never) => unknown, object, string]>([
    ['a misspelt limit', createAuthority, { commonName: 'A', nameConstraint: {} }, 'nameConstraint'],
    [
      'a misspelt part of a limit',
      createAuthority,
      { commonName: 'A', nameConstraints: { permit: ['a.test'] } },
      'nameConstraints.permit',
    ],
    [
      'a limit to nothing',
      createAuthority,
      { commonName: 'A', nameConstraints: { permitted: [] } },
      'nameConstraints',
    ],
    [
      'a limit that went missing',
      createAuthority,
      { commonName: 'A', nameConstraints: { permitted: undefined } },
      'nameConstraints',
    ],
    [
      'a limit that is none',
      createAuthority,
      { commonName: 'A', nameConstraints: 'a.test' },
      'nameConstraints',
    ],
    ['an authority without a name', createAuthority, {}, 'commonName'],
    ['a number for a name', createAuthority, { commonName: 7 }, 'commonName'],
    ['text for a list of names', createSelfSigned, { names: 'a.test' }, 'names'],
    ["a limit of days that isn't a number", createSelfSigned, { names: ['a.test'], maxDays: NaN }, 'maxDays'],
    ['what the authority decides', createCsr, { names: ['a.test'], days: 5 }, 'days'],
    [
      'one name for a development authority',
      createDevelopmentAuthority,
      { permitted: 'a.test' },
      'permitted',
    ],
    ['a misspelt refusal', revocationSource, { crls: ['x'], unknwon: 'refuse' }, 'unknwon'],
    ['an unknown value of depth', revocationSource, { crls: ['x'], depth: 'all' }, 'depth'],
    ["a time that timers can't wait", revocationSource, { crls: ['x'], interval: 2 ** 31 }, 'interval'],
    ['a time of 0', revocationSource, { crls: ['x'], timeout: 0 }, 'timeout'],
    ["one list that isn't in a list", revocationSource, { crls: 'x' }, 'crls'],
    ['text for a flag', verifyChain, { chain: '', ca: '', partialChain: 'false' }, 'partialChain'],
    ['a misspelt list of lists', verifyChain, { chain: '', ca: '', crl: [] }, 'crl'],
    ['a misspelt passphrase', loadAuthority, { chain: '', key: '', passPhrase: 'secret' }, 'passPhrase'],
    ['a misspelt revocation list', loadAuthority, { chain: '', key: '', crls: '' }, 'crls'],
    ['a number for a passphrase', loadAuthority, { chain: '', key: '', passphrase: 7 }, 'passphrase'],
    ['a misspelt date', (options) => lint(leafPem, options), { when: new Date() }, 'when'],
    ['text for a date', (options) => lint(leafPem, options), { at: '2026-01-01' }, 'at'],
    ['an invalid date', (options) => lint(leafPem, options), { at: new Date(NaN) }, 'at'],
    ['a misspelt timeout', (options) => inspect(leafPem, options), { timeOut: 5 }, 'timeOut'],
    ['a misspelt list of files', checkExpiry, { file: ['a.pem'] }, 'file'],
    ["one folder that isn't in a list", checkExpiry, { folders: 'certs' }, 'folders'],
    [
      'a misspelt fraction of the lifetime',
      (options) => needsRenewal(leafPem, options),
      { renewat: 0.5 },
      'renewat',
    ],
    ['a misspelt passphrase', (options) => convertKey('', options), { newPassPhrase: 'x' }, 'newPassPhrase'],
    ['text for a flag', (options) => fullChain(leafPem, options), { root: 'no' }, 'root'],
    ['what a watch decides by itself', watchRenewal, { force: true }, 'force'],
    ['text for a flag', renew, { certFile: 'a', keyFile: 'b', issuer: () => {}, force: 'false' }, 'force'],
  ])('%s', async (_what, make, options, option) => {
    const made = Promise.resolve().then(() => make(options as never));
    await expect(made).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
  });

  it.each<[string, object, string]>([
    ['a policy without names', {}, 'names'],
    [
      "one value that isn't in a list",
      { copySubject: { organization: 'Acme Ltd' } },
      'copySubject.organization',
    ],
    ["a field that there isn't", { copySubject: { organisation: true } }, 'copySubject.organisation'],
    ['a misspelt policy', { names: ['a.test'], addName: ['c.test'] }, 'addName'],
  ])('a signing policy: %s', async (_what, policy, option) => {
    const whole = {
      kind: 'server',
      ...(option === 'names' ? {} : { names: ['a.test', 'b.test'] }),
      ...policy,
    };
    await expect(authority.sign(csr, whole as never)).rejects.toMatchObject({
      code: 'KNSOCK_INVALID_OPTION',
      option,
    });
  });

  it("an issued certificate's, an intermediate's, a list's", async () => {
    const refused = { code: 'KNSOCK_INVALID_OPTION', option: 'dayz' };
    await expect(authority.issue({ ...leaf, dayz: 1 } as never)).rejects.toMatchObject(refused);
    await expect(authority.intermediate({ commonName: 'B', dayz: 1 } as never)).rejects.toMatchObject(
      refused,
    );
    await expect(authority.crl({ dayz: 1 } as never)).rejects.toMatchObject(refused);
  });

  it.each(['', 'a\0b'])('%j for the path of a file or folder', async (place) => {
    const issuer = () => Promise.reject(new Error('not asked'));
    const calls: readonly (readonly [option: string, call: () => unknown])[] = [
      ['directory', () => openStore(place)],
      [
        'directory',
        () => createToken(place, { kind: 'client', names: ['a.test'], days: 1, expiresIn: 1_000 }),
      ],
      ['directory', () => withdrawToken(place, 'a')],
      ['directory', () => listTokens(place)],
      ['directory', () => barRenewal(place, 'a.test')],
      ['directory', () => knownAuthority(place)],
      ['dir', () => enroll({ token: 'a', dir: place })],
      ['dir', () => renewEnrolled({ dir: place })],
      ['dir', () => acmeCredentials({ ...acme, dir: place })],
      ['certFile', () => renew({ certFile: place, keyFile: 'a.key', issuer })],
      ['keyFile', () => renew({ certFile: 'a.crt', keyFile: place, issuer })],
      ['cacheDir', () => revocationSource({ crls: [], cacheDir: place })],
    ];
    for (const [option, call] of calls)
      await expect(Promise.resolve().then(call)).rejects.toMatchObject({
        code: 'KNSOCK_INVALID_OPTION',
        option,
      });
  });

  it('a misspelt passphrase, before a store writes keys without one', async () => {
    const directory = join(folder, 'store');
    const store = openStore(directory, { passPhrase: 'secret' } as never);
    await expect(store).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option: 'passPhrase' });
    expect(await readdir(folder)).not.toContain('store');
  });
});

it("a policy's function allows by true alone: the promise of an asynchronous one is no answer", async () => {
  const names = (() => Promise.resolve(false)) as never;
  await expect(authority.sign(csr, { kind: 'server', names })).rejects.toMatchObject({
    code: 'KNSOCK_CERTIFICATE_POLICY',
  });
  const signed = await authority.sign(csr, { kind: 'server', names: () => true });
  expect(signed.dropped).toContain('organization');
});

it.skipIf(process.platform === 'win32')(
  "a revocation source doesn't wait for a pipe that nobody writes to",
  async () => {
    const pipe = join(folder, 'pipe.crl');
    execFileSync('mkfifo', [pipe]);
    using source = revocationSource({ crls: [pipe] });
    await expect(source.ready()).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_UNREADABLE',
      message: expect.stringContaining('not a file') as unknown,
    });
  },
);
