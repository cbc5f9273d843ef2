import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { notices } from '../../../scripts/notices.mjs';
import { workspace } from '../docs/documents.js';

const of = (name: string) => notices(path.join(workspace, 'packages', name));

it('shows the licence of what is inside a package, with its version', () => {
  const folder = path.join(workspace, 'packages/cli/node_modules/commander');
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(of('cli')).toContain(`── commander ${version} ──`);
  expect(of('cli')).toContain(readFileSync(path.join(folder, 'LICENSE'), 'utf8').trim());
});

it('names what is installed beside a package, to the last, with its licence', () => {
  expect(of('certs')).toMatch(
    /carry no program of others inside[^]*Installed beside[^]*^asn1js \d+\.\d+\.\d+ \(BSD-3-Clause\)$/m,
  );
});

it.each(['core', 'pool'])('says that %s brings nothing of others', (name) => {
  expect(of(name)).toBe(`The files of @knsock/${name} carry no program of others inside.\n`);
});
