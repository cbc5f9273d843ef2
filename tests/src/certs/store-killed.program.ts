/**
 * Works on a store and dies by SIGKILL at its n-th step on the file system, right before the step is done.
 * Arguments: folder, n. It prints each durable change, a line each, and `steps N` if it reached the end.
 */
import { writeSync } from 'node:fs';
import { countSteps } from './steps.js';

const [folder = '', last = ''] = process.argv.slice(2);
const steps = await countSteps(Number(last));

const { openStore } = await import('@knsock/certs');
const say = (line: string): void => void writeSync(1, `${line}\n`);

steps.begin();
const store = await openStore(folder);
const authority = await store.authority('root');
const { certificate } = await authority.issue({
  kind: 'server',
  names: ['again.test'],
  file: 'again',
  overwrite: true,
});
say(`issued ${Buffer.from(certificate).toString('base64')}`);
await authority.revoke(certificate, 'superseded');
say(`revoked ${Buffer.from(certificate).toString('base64')}`);
say(`crl ${(await authority.crl()).number}`);
const below = await authority.intermediate({ commonName: 'Below', file: `below-${process.pid}` });
say(`issued ${Buffer.from(below.certificate).toString('base64')}`);
say(`steps ${steps.count()}`);
