import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { optionCalls, type OptionCall, type OptionCalls } from './option-calls.js';
import { optionTakers, type OptionTaker } from './option-takers.js';

let folder: string;
let made: OptionCalls;
let takers: readonly OptionTaker[];
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-options-'));
  made = await optionCalls(folder);
  takers = optionTakers().filter(({ name }) => !notOurs.has(name));
}, 60_000);
afterAll(async () => {
  await made[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What a program implements for us, and functions of Node's. */
const notOurs = new Set([
  'RevocationSource.check',
  'Signer.sign',
  'Factory.create',
  'Factory.validate',
  'SecureAgent.createConnection',
  'SecureAgent.getName',
  // Of the parts that path validation and limits are made of; `validatePath` and `verifyPath` check their options.
  'checkRevocation',
  'revocationPolicy',
  'networkOf',
]);

/** Values that programs pass by mistake. */
const odd = {
  'a symbol': Symbol('odd'),
  'not a number': Number.NaN,
  'a negative number': -1,
  'empty text': '',
  'an empty object': {},
  null: null,
} as const;
type Odd = keyof typeof odd;

/** Which of them an option takes, wherever there is one by its name. */
const takes: Readonly<Record<string, readonly Odd[]>> = {
  // Options of others, or of a group of which each has a default.
  tls: ['an empty object'],
  profile: ['an empty object'],
  http: ['an empty object'],
  revocation: ['an empty object', 'null'],
  policies: ['an empty object'],
  backOff: ['an empty object'],
  headers: ['an empty object'],
  copySubject: ['an empty object'],
  subject: ['an empty object'],
  crlListen: ['an empty object'],
  listen: ['an empty object'],
  sslContext: ['an empty object'],
  // Nobody, or nothing: what a rotation switches off is null.
  authorize: ['an empty object', 'null'],
  sni: ['an empty object', 'null'],
  pins: ['null'],
  // Text that may be empty, and what a connection or another option decides about.
  servername: ['empty text'],
  text: ['empty text'],
  passphrase: ['empty text'],
  keyPassphrase: ['empty text'],
  name: ['empty text'],
  keyName: ['empty text'],
  cacheDir: ['empty text'],
  reference: ['empty text'],
  serial: ['empty text'],
  fingerprint: ['empty text'],
  authority: ['empty text'],
  file: ['empty text'],
  issuers: ['empty text'],
  leaf: ['empty text', 'an empty object'],
  at: ['a negative number'],
  'checkExpiry days': ['a negative number'],
  'createToken commonName': ['empty text'],
};

/** Values of the right kind that a rule with a code of its own refuses. */
const ruled: Readonly<Record<string, string>> = {
  cert: 'KNSOCK_CREDENTIALS_INCOMPLETE',
  key: 'KNSOCK_CREDENTIALS_INCOMPLETE',
  ca: 'KNSOCK_CREDENTIALS_MALFORMED',
  crl: 'KNSOCK_CREDENTIALS_MALFORMED',
  pfx: 'KNSOCK_CREDENTIALS_MALFORMED',
  days: 'KNSOCK_CERTIFICATE_VALIDITY',
  maxDays: 'KNSOCK_CERTIFICATE_VALIDITY',
  pathLength: 'KNSOCK_CERTIFICATE_PATH_LENGTH',
  privateKey: 'KNSOCK_CERTIFICATE_MALFORMED',
  commonName: 'KNSOCK_CERTIFICATE_SUBJECT',
  organization: 'KNSOCK_CERTIFICATE_SUBJECT',
  organizationalUnit: 'KNSOCK_CERTIFICATE_SUBJECT',
  locality: 'KNSOCK_CERTIFICATE_SUBJECT',
  state: 'KNSOCK_CERTIFICATE_SUBJECT',
  country: 'KNSOCK_CERTIFICATE_SUBJECT',
  replaces: 'KNSOCK_CERTIFICATE_FILE',
  token: 'KNSOCK_CERTIFICATE_TOKEN',
  newPassphrase: 'KNSOCK_CERTIFICATE_PASSPHRASE',
  'openStore passphrase': 'KNSOCK_CERTIFICATE_PASSPHRASE',
  chain: 'KNSOCK_CERTIFICATE_MALFORMED',
  'verifyChain ca': 'KNSOCK_CERTIFICATE_MALFORMED',
  'loadAuthority key': 'KNSOCK_CERTIFICATE_MALFORMED',
  'loadAuthority crl': 'KNSOCK_CERTIFICATE_MALFORMED',
};
const rightKinds = new Set<Odd>(['empty text', 'a negative number']);

const of = <T>(table: Readonly<Record<string, T>>, taker: string, option: string): T | undefined =>
  table[`${taker} ${option}`] ?? (Object.hasOwn(table, option) ? table[option] : undefined);

it('knows a call of everything exported that takes options', () => {
  const called = Object.keys(made.calls).sort();
  expect(takers.map(({ name }) => name).sort()).toEqual(called);
});

it('refuses every value of the wrong kind by the name of its option', async () => {
  const wrong: string[] = [];
  for (const { name, options } of takers) {
    const call = made.calls[name];
    if (call === undefined) continue;
    for (const option of options) {
      const taken = of(takes, name, option) ?? [];
      for (const what of (Object.keys(odd) as Odd[]).filter((one) => !taken.includes(one))) {
        const said = await refusalOf(call, { [option]: odd[what] });
        if (!names(said, option) && !(rightKinds.has(what) && said.code === of(ruled, name, option)))
          wrong.push(`${name} ${option}, ${what}: ${said.code} ${said.message}`);
      }
    }
  }
  expect(wrong).toEqual([]);
}, 60_000);

it("refuses every option that isn't one, by its name", async () => {
  const wrong: string[] = [];
  for (const [name, call] of Object.entries(made.calls)) {
    const { code, message } = await refusalOf(call, { unheardOf: 1 });
    const isNamed = /there is no option unheardOf/.test(message);
    if (code !== 'KNSOCK_INVALID_OPTION' || !isNamed) wrong.push(`${name}: ${code} ${message}`);
  }
  expect(wrong).toEqual([]);
});

interface Said {
  readonly code: string;
  readonly option: string;
  readonly message: string;
}

/** What a call says that is refused; one that isn't refused at once did something. */
async function refusalOf(call: OptionCall, options: Readonly<Record<string, unknown>>): Promise<Said> {
  const late = new Promise((resolve) => setTimeout(resolve, 2_000).unref());
  try {
    await Promise.race([call(options), late]);
    return { code: 'none', option: '', message: 'it was taken' };
  } catch (error) {
    const { code = 'none', option = '', message } = error as Partial<Said> & Error;
    return { code, option, message };
  }
}

function names({ code, option, message }: Said, wanted: string): boolean {
  const isIts = option === wanted || option.startsWith(`${wanted}.`);
  return code === 'KNSOCK_INVALID_OPTION' && isIts && message.includes(wanted);
}
