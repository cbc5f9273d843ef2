/**
 * Obtains and renews certificates by ACME while the disk of their folders is full up to some pages.
 * Arguments: a folder, to mount the disk at; the directory; the file of its CA. It prints the outcomes as JSON.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyMatches } from '@knsock/certs';
import { acmeCredentials, type AcmeCredentials } from '@knsock/certs/acme';
import { mountSmallDisk } from './small-disk.js';

const [folder = '', directory = '', ca = ''] = process.argv.slice(2);
/** Free pages at each round: from none to enough for everything. */
const ROUNDS = Array.from({ length: 13 }, (_, free) => free);

const disk = mountSmallDisk(folder, '2m');
const directoryCa = readFileSync(ca);
const reported: string[] = [];

function obtain(name: string): Promise<AcmeCredentials> {
  return acmeCredentials({
    ...{ domains: [name], directory, directoryCa, agree: true, dir: join(folder, name) },
    ...{ challenge: 'http-01', httpChallenges: new Map<string, string>(), timeout: 10_000 },
    onError: ({ message }) => {
      reported.push(message);
    },
  });
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );

const certificateOf = (name: string): string => readFileSync(join(folder, name, 'tls.crt'), 'utf8');

function isPair(name: string): boolean {
  return keyMatches(certificateOf(name), readFileSync(join(folder, name, 'tls.key'), 'utf8'));
}

const outcomes: object[] = [];
for (const free of ROUNDS) {
  const name = `round-${free}.example`;
  disk.fill(free);
  const first = await codeOf(obtain(name).then((source) => source.close()));
  const limited = await codeOf(obtain(`limited-${free}.example`));
  disk.clear();
  const source = await obtain(name);
  const pairs = [isPair(name)];
  const before = certificateOf(name);
  disk.fill(free);
  const second = await codeOf(source.renew());
  // It may be in place when the rest can't be written.
  const replaced = certificateOf(name) !== before;
  pairs.push(isPair(name));
  disk.clear();
  await source.renew();
  pairs.push(isPair(name));
  await source.close();
  outcomes.push({ name, first, limited, second, replaced, pairs });
}
console.log(JSON.stringify({ outcomes, reported }));
