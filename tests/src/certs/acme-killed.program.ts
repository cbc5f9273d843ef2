/**
 * Obtains a certificate by ACME, and dies by SIGKILL at its n-th step on the file system.
 * Arguments: folder, directory, file of the directory's CA, n. It prints its steps.
 */
import { readFileSync, writeSync } from 'node:fs';
import { countSteps } from './steps.js';

const [dir = '', directory = '', ca = '', last = '-1'] = process.argv.slice(2);
const steps = await countSteps(Number(last));
const { acmeCredentials } = await import('@knsock/certs/acme');

steps.begin();
const source = await acmeCredentials({
  ...{ domains: ['a.example'], directory, directoryCa: readFileSync(ca), agree: true, dir },
  ...{ challenge: 'http-01', httpChallenges: new Map<string, string>() },
});
writeSync(1, `steps ${steps.count()}\n`);
await source.close();
