import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  connect,
  serve,
  watchCredentials,
  type CredentialsError,
  type WatchedCredentials,
} from '@knsock/core';
import { toPem } from '@knsock/core/x509';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hear } from '../support/heard.js';
import { issueServer } from '../x509/issue.js';
import { createWorld, portOf, type World } from '../support/world.js';

interface Set {
  readonly chain: string;
  readonly key: string;
}

let world: World;
let sets: Set[];
beforeAll(async () => {
  world = await createWorld();
  sets = await Promise.all(
    [1, 2, 3].map(() => world.authority.issue({ kind: 'server', names: ['localhost'], days: 7 })),
  );
});

let folder: string;
let watched: WatchedCredentials | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'knsock-watch-'));
});
afterEach(() => {
  watched?.close();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => path.join(folder, name);
const setOf = (number: number) => sets[number] as Set;

function writeSet(place: string, { chain, key }: Set): void {
  mkdirSync(at(place), { recursive: true });
  writeFileSync(at(`${place}/tls.crt`), chain);
  writeFileSync(at(`${place}/tls.key`), key);
  writeFileSync(at(`${place}/ca.crt`), world.authority.root);
}

async function watch(
  place: string,
  interval = 10,
  onError?: (error: Error) => void,
): Promise<WatchedCredentials> {
  watched = await watchCredentials(
    { certFile: at(`${place}/tls.crt`), keyFile: at(`${place}/tls.key`), caFile: at(`${place}/ca.crt`) },
    { interval, onError },
  );
  return watched;
}

const change = (source: WatchedCredentials) =>
  new Promise<string | undefined>((resolve) => {
    const end = source.onChange((next) => {
      end();
      resolve(next.certificate?.pem);
    });
  });
const trouble = (source: WatchedCredentials) =>
  new Promise<string>((resolve) => {
    const end = source.onProblem((problem) => {
      end();
      resolve(problem.code);
    });
  });
const leaf = ({ chain }: Set) => chain.slice(0, chain.indexOf('-----END')).replace(/\s/g, '');
const sameLeaf = (pem: string | undefined, set: Set) => leaf({ chain: pem ?? '', key: '' }) === leaf(set);

describe('watchCredentials', () => {
  it('follows files that are replaced by renaming, one after the other', async () => {
    writeSet('tls', setOf(0));
    const source = await watch('tls');
    writeSet('new', setOf(1));
    const changed = change(source);
    renameSync(at('new/tls.crt'), at('tls/tls.crt'));
    renameSync(at('new/tls.key'), at('tls/tls.key'));
    expect(sameLeaf(await changed, setOf(1))).toBe(true);
    expect(source.problem).toBeNull();
  });

  it('notifies every listener of a new set, and reports to onError what one throws or rejects with', async () => {
    writeSet('tls', setOf(0));
    const reported: string[] = [];
    const source = await watch('tls', 60_000, ({ message }) => {
      reported.push(message);
    });
    source.onChange(() => {
      throw new Error('thrown');
    });
    source.onChange(() => Promise.reject(new Error('rejected')) as never);
    const changed = change(source);
    writeSet('tls', setOf(1));
    await source.reload();
    expect(sameLeaf(await changed, setOf(1))).toBe(true);
    expect(reported).toEqual(['thrown', 'rejected']);
  });

  it('reports to onError a set that is refused while there is no listener', async () => {
    writeSet('tls', setOf(0));
    const refused = new Promise<Error>((resolve) => {
      void watch('tls', 10, resolve).then(() => {
        writeFileSync(at('tls/tls.crt'), 'garbage');
      });
    });
    expect(await refused).toMatchObject({ code: watched?.problem?.code });
  });

  it('follows Kubernetes, which swaps a link to a folder', async () => {
    writeSet('..one', setOf(0));
    symlinkSync('..one', at('..data'));
    mkdirSync(at('mount'));
    for (const file of ['tls.crt', 'tls.key', 'ca.crt'])
      symlinkSync(`../..data/${file}`, at(`mount/${file}`));
    const source = await watch('mount');
    writeSet('..two', setOf(1));
    symlinkSync('..two', at('..data_tmp'));
    const changed = change(source);
    renameSync(at('..data_tmp'), at('..data'));
    rmSync(at('..one'), { recursive: true });
    expect(sameLeaf(await changed, setOf(1))).toBe(true);
  });

  it.skipIf(process.platform === 'win32')(
    'takes no half of two sets for one: a link that is swapped while it reads is read again',
    async () => {
      for (const number of [0, 1, 2]) writeSet(`..${number}`, setOf(number));
      const swapTo = (number: number): void => {
        symlinkSync(`..${number}`, at('..data_tmp'));
        renameSync(at('..data_tmp'), at('..data'));
      };
      swapTo(0);
      const source = await watch('..data', 3_600_000);
      const problems: string[] = [];
      source.onProblem(({ message }) => void problems.push(message));
      for (let turns = 0; turns < 60; turns++) {
        const reloading = source.reload();
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        swapTo(1 + (turns % 2));
        await reloading;
      }
      expect(problems).toEqual([]);
      expect(sameLeaf((await source.reload()).certificate?.pem, setOf(2))).toBe(true);
    },
  );

  it('keeps the last valid set while a file is incomplete, reports it, and loads it when it is complete', async () => {
    using heard = hear('knsock:rotation');
    writeSet('tls', setOf(0));
    const source = await watch('tls');
    const before = source.current;
    const troubled = trouble(source);
    truncateSync(at('tls/tls.crt'), 200);
    expect(await troubled).toBe('KNSOCK_CREDENTIALS_MALFORMED');
    expect(source.current).toBe(before);
    expect(source.problem?.file).toBe(at('tls/tls.crt'));
    const changed = change(source);
    writeSet('tls', setOf(1));
    expect(sameLeaf(await changed, setOf(1))).toBe(true);
    expect(source.problem).toBeNull();
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard.events).toMatchObject([
      { by: 'files', ok: false, version: before.version },
      { by: 'files', ok: true, version: source.current.version },
    ]);
  });

  it.each<[string, string, (place: string) => void]>([
    [
      'a key of another certificate',
      'KEY_MISMATCH',
      (place) => writeFileSync(`${place}/tls.key`, setOf(2).key),
    ],
    ['a key that is gone', 'MISSING_FILE', (place) => rmSync(`${place}/tls.key`)],
    ['an empty CA', 'MALFORMED', (place) => writeFileSync(`${place}/ca.crt`, '')],
  ])('refuses the whole set for %s', async (_words, code, spoil) => {
    writeSet('tls', setOf(0));
    const source = await watch('tls');
    const before = source.current;
    const troubled = trouble(source);
    spoil(at('tls'));
    expect(await troubled).toBe(`KNSOCK_CREDENTIALS_${code}`);
    expect(source.current).toBe(before);
    await expect(source.reload()).rejects.toMatchObject({ code: `KNSOCK_CREDENTIALS_${code}` });
  });

  it.skipIf(process.platform === 'win32').each([
    ['a pipe', (place: string) => execFileSync('mkfifo', [place])],
    ['a folder', (place: string) => mkdirSync(place)],
    ['a device', (place: string) => symlinkSync('/dev/zero', place)],
    ['a link that leads back to itself', (place: string) => symlinkSync(place, place)],
  ])(
    'opens nothing else (%s) in the place of a file, says so once, and recovers by itself',
    async (kind, put) => {
      writeSet('tls', setOf(0));
      const source = await watch('tls');
      const before = source.current;
      const problems: CredentialsError[] = [];
      source.onProblem((problem) => void problems.push(problem));
      rmSync(at('tls/tls.key'));
      put(at('tls/tls.key'));
      await expect(source.reload()).rejects.toMatchObject({ reason: 'unreadable', file: at('tls/tls.key') });
      await source.reload().catch(() => undefined);
      expect(source.current).toBe(before);
      expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining(`it is ${kind}`)]);
      const changed = change(source);
      rmSync(at('tls/tls.key'), { recursive: true });
      writeSet('tls', setOf(1));
      expect(sameLeaf(await changed, setOf(1))).toBe(true);
      expect(source.problem).toBeNull();
    },
  );

  it.skipIf(process.platform === 'win32')(
    'reads pipes once, says that they stay as they are, and follows the others',
    async () => {
      writeSet('tls', setOf(0));
      execFileSync('mkfifo', [at('pipe')]);
      const files = { certFile: at('pipe'), keyFile: at('pipe'), caFile: at('tls/ca.crt') };
      const watching = watchCredentials(files, { interval: 10 });
      // What isn't read meanwhile would block the only thread of this test.
      await writeFile(at('pipe'), setOf(0).chain + setOf(0).key, { flag: 'a' });
      watched = await watching;
      expect(watched.current.warnings).toMatchObject([
        { reason: 'not-followed', file: at('pipe'), fatal: false },
      ]);
      const other = await createWorld();
      const changed = change(watched);
      writeFileSync(at('tls/ca.crt'), other.authority.root);
      expect(sameLeaf(await changed, setOf(0))).toBe(true);
      await watched.reload();
    },
  );

  it('takes what changed in the same tick of a clock, to the same size', async () => {
    writeSet('tls', setOf(0));
    const source = await watch('tls', 3_600_000);
    const { chain } = setOf(0);
    const then = new Date(1_700_000_000_000);
    const write = (text: string) => {
      writeFileSync(at('tls/tls.crt'), text.padEnd(10_000, '\n'));
      utimesSync(at('tls/tls.crt'), then, then);
    };
    write(chain);
    await source.reload();
    write('-'.repeat(1_000));
    await expect(source.reload()).rejects.toMatchObject({ reason: 'malformed' });
    write(chain);
    await source.reload();
    expect(source.problem).toBeNull();
  });

  it('tells when time makes a certificate invalid, once, and keeps it', async () => {
    const { der, privateKey } = issueServer({ notAfter: new Date(Date.now() + 2_000), names: ['localhost'] });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    writeSet('tls', { chain: toPem('CERTIFICATE', der), key });
    const source = await watch('tls');
    const problems: string[] = [];
    source.onProblem(({ reason }) => void problems.push(reason));
    expect(await trouble(source)).toBe('KNSOCK_CREDENTIALS_EXPIRED');
    await source.reload().catch(() => undefined);
    expect([problems, source.current.certificate?.pem]).toEqual([['expired'], expect.any(String)]);
  });

  it('answers a storm of reloads by one reading, and the last state of the files', async () => {
    writeSet('tls', setOf(0));
    const source = await watch('tls', 3_600_000);
    const early = Array.from({ length: 1_000 }, () => source.reload());
    writeSet('tls', setOf(1));
    const late = Array.from({ length: 1_000 }, () => source.reload());
    expect(new Set([...early, ...late]).size).toBeLessThan(4);
    await Promise.all(early);
    expect(sameLeaf((await late[0])?.certificate?.pem, setOf(1))).toBe(true);
  });

  it('checks at once on request', async () => {
    writeSet('tls', setOf(0));
    const source = await watch('tls', 3_600_000);
    writeSet('tls', setOf(1));
    expect(sameLeaf((await source.reload()).certificate?.pem, setOf(1))).toBe(true);
  });

  it("rejects where the first set can't be used, or its signal has fired", async () => {
    await expect(watch('nowhere')).rejects.toMatchObject({ code: 'KNSOCK_CREDENTIALS_MISSING_FILE' });
    writeSet('tls', setOf(0));
    const files = { certFile: at('tls/tls.crt'), keyFile: at('tls/tls.key') };
    const controller = new AbortController();
    const starting = watchCredentials(files, { signal: controller.signal });
    controller.abort(new Error('too late'));
    await expect(starting).rejects.toThrow('too late');
  });

  it('rotates a server that keeps serving meanwhile', async () => {
    writeSet('tls', setOf(0));
    const source = await watch('tls');
    await using server = await serve(
      { port: 0, host: '127.0.0.1', credentials: source },
      ({ payload }) => payload,
    );
    const options = {
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
      resume: false,
    };
    const before = await connect(options);
    writeSet('tls', setOf(1));
    await source.reload();
    const after = await connect(options);
    expect(sameLeaf(before.peer?.certificate.pem, setOf(0))).toBe(true);
    expect(sameLeaf(after.peer?.certificate.pem, setOf(1))).toBe(true);
    expect(String(await before.request('x'))).toBe('x');
    await Promise.all([before.close(), after.close()]);
  });
});
