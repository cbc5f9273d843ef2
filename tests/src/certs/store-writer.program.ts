/** Writes to a store without end, and prints each change that is durable. Arguments: folder, its own name. */
import { openStore } from '@knsock/certs';

const [folder = '', name = ''] = process.argv.slice(2);
const authority = await (await openStore(folder)).authority('root');

for (let round = 0; ; round += 1) {
  process.stdout.write(`starting ${round}\n`);
  // Every second one replaces an older pair, so that the replacement of two files is interrupted too.
  const file = round % 2 === 0 ? `${name}-${round}` : `${name}-again`;
  const { certificate } = await authority.issue({ kind: 'client', commonName: name, file, overwrite: true });
  process.stdout.write(`issued ${Buffer.from(certificate).toString('base64')}\n`);
  if (round % 3 === 0) {
    await authority.revoke(certificate, 'superseded');
    process.stdout.write(`revoked ${Buffer.from(certificate).toString('base64')}\n`);
  }
  if (round % 5 === 0) process.stdout.write(`crl ${(await authority.crl()).number}\n`);
}
