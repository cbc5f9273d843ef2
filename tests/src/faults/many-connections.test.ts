import { expect, it } from 'vitest';
import { createCertificateFolder } from '../support/certificate-folder.js';
import { hearFrom, limitDescriptors, ServerProcess, startProgram } from './program.js';
import { sizes } from './sizes.js';

/** Beside the connections' own. */
const SPARE_DESCRIPTORS = 500;

it(`holds ${sizes.openAtOnce} connections open and answers on every one`, async () => {
  await using folder = await createCertificateFolder();
  const limits = { descriptors: sizes.openAtOnce + SPARE_DESCRIPTORS };
  const options = { maxConnections: sizes.openAtOnce };
  await using server = await ServerProcess.start(folder.path, options, limits);
  const before = await server.report();
  const clients = startProgram('client', [folder.path, String(server.port), String(sizes.openAtOnce)]);
  await limitDescriptors(clients, limits.descriptors);
  expect(await hearFrom(clients)).toEqual({ open: sizes.openAtOnce });
  const open = await server.report();
  expect(open.stats).toMatchObject({ connections: sizes.openAtOnce, refusedSockets: { connections: 0 } });
  clients.send('ask');
  expect(await hearFrom(clients)).toEqual({ answered: sizes.openAtOnce });
  const each = (open.residentBytes - before.residentBytes) / sizes.openAtOnce;
  console.log(`a connection takes ${Math.round(each / 1_024)} KiB of the server's memory`);
}, 600_000);
