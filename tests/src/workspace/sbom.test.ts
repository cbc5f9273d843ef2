import path from 'node:path';
import { expect, it } from 'vitest';
import { publishedPackages } from '../../../scripts/packages.mjs';
import { billOfMaterials } from '../../../scripts/sbom.mjs';
import { workspace } from '../docs/documents.js';

const bill = (name: string) => billOfMaterials(path.join(workspace, 'packages', name));
const names = (name: string) => bill(name).components.map((one) => one.name);

it('lists nothing for core, which depends on nothing', () => {
  expect(names('core')).toEqual([]);
});

it('lists what is installed with a package, to the last, with version, licence and address', () => {
  expect(names('certs')).toEqual(
    expect.arrayContaining(['@knsock/core', '@peculiar/asn1-x509', 'asn1js', 'tslib']),
  );
  const asn1 = bill('certs').components.find((one) => one.name === '@peculiar/asn1-x509');
  expect(asn1).toMatchObject({ licenses: [{ license: { id: 'MIT' } }] });
  expect(asn1?.purl).toMatch(/^pkg:npm\/%40peculiar\/asn1-x509@2\.\d+\.\d+$/);
});

it('lists what the command carries inside', () => {
  expect(names('cli')).toEqual(expect.arrayContaining(['commander', 'picocolors', '@knsock/certs']));
});

it.each(publishedPackages())('names every part of $manifest.name once, and its licence', ({ folder }) => {
  const { components, dependencies } = billOfMaterials(folder);
  const refs = components.map((one) => one['bom-ref']);
  expect(new Set(refs).size).toBe(refs.length);
  expect(components.filter((one) => one.licenses === undefined)).toEqual([]);
  expect(dependencies.flatMap((one) => one.dependsOn).filter((ref) => !refs.includes(ref))).toEqual([]);
});
