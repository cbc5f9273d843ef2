import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { bundles } from '../../../packages/cli/tsup.config.js';
import { notices } from '../../../scripts/notices.mjs';
import { workspace } from '../docs/documents.js';

const cli = path.join(workspace, 'packages/cli');

it("states the licence of every third-party package in the command's bundle", () => {
  const told = notices(cli);
  const names = bundles(cli).flatMap(({ noExternal = [] }) =>
    noExternal.filter((name) => typeof name === 'string'),
  );
  expect(names).toContain('commander');
  for (const name of names) {
    expect(told).toContain(readFileSync(path.join(cli, 'node_modules', name, 'LICENSE'), 'utf8').trim());
  }
});
