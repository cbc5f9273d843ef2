// The main job, end to end: certificates made on the spot, a mutual-TLS server here, a client in a process of its own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAuthority } from '@knsock/certs';
import { createCredentials, RequestError, serve } from '@knsock/core';

const say = (line) => console.log(`server  ${line}`);

const folder = await mkdtemp(join(tmpdir(), 'knsock-quickstart-'));
try {
  const authority = await createAuthority({ commonName: 'Quickstart CA', days: 30 });
  const serverFiles = await authority.issue({ kind: 'server', names: ['localhost'], days: 7 });
  const clientFiles = await authority.issue({
    kind: 'client',
    names: ['agent-7.example'],
    commonName: 'agent-7',
    days: 7,
  });
  say('made a development CA, a certificate for localhost and one for agent-7');

  const server = await serve(
    {
      port: 0,
      host: 'localhost',
      credentials: createCredentials({ cert: serverFiles.chain, key: serverFiles.key, ca: authority.root }),
      clientCertificates: 'require',
      authorize: { commonNames: ['agent-7'] },
    },
    ({ payload, peer }) => answer(payload.toString(), peer),
  );
  say(`listening on localhost:${server.address.port}, for agent-7 only`);

  await writeFile(join(folder, 'ca.crt'), authority.root);
  await writeFile(join(folder, 'client.crt'), clientFiles.chain);
  await writeFile(join(folder, 'client.key'), clientFiles.key, { mode: 0o600 });
  const client = spawn(
    process.execPath,
    [
      ...process.execArgv,
      fileURLToPath(new URL('client.mjs', import.meta.url)),
      String(server.address.port),
      folder,
    ],
    { stdio: 'inherit' },
  );
  const [code] = await once(client, 'exit');

  const { admitted, refusedPeers } = server.stats();
  say(`admitted ${admitted} ${admitted === 1 ? 'connection' : 'connections'} and refused ${refusedPeers}`);
  await server.close();
  say('drained and closed');
  process.exitCode = code === 0 && admitted === 1 && refusedPeers === 1 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

function answer(question, peer) {
  const [verb, ...words] = question.split(' ');
  if (verb === 'greet')
    return `Hello, ${peer.commonNames[0]}! Your certificate is good until ${day(peer.notAfter)}.`;
  if (verb === 'sum') return String(words.reduce((sum, word) => sum + Number(word), 0));
  throw new RequestError('unknown-verb', `there is no '${verb}' here`);
}

function day(date) {
  return date.toISOString().slice(0, 10);
}
