import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };

const workflow = readFileSync(new URL('../../../.github/workflows/publish.yml', import.meta.url), 'utf8');

it('publishes with provenance, and may ask for the identity that this needs and read the code, no more', () => {
  expect(workflow).toContain("NPM_CONFIG_PROVENANCE: 'true'");
  const permissions = [...workflow.matchAll(/^ +(contents|id-token|packages|actions): (\w+)$/gm)];
  expect(permissions.map(([, what, how]) => `${what} ${how}`)).toEqual([
    'contents read',
    'contents read',
    'id-token write',
  ]);
});

it('keeps no secret and names no host', () => {
  expect(workflow).not.toMatch(/secrets\.|_TOKEN|https?:\/\//);
});

it('runs what there is, after everything that has to hold', () => {
  const steps = [...workflow.matchAll(/^ +- run: (.+)$/gm)].map(([, command]) => command);
  expect(steps[0]).toContain('.ci/run');
  const scripts = steps.flatMap((step) => /^npm run (\S+)/.exec(step ?? '')?.[1] ?? []);
  expect(scripts).toEqual(['build']);
  expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(scripts));
  expect(Object.keys(manifest.devDependencies)).toContain('@changesets/cli');
});
