/** Anchors that openssl marked (`x509 -trustout`), as openssl itself decides on them. */
import { verifyPathSync } from '@knsock/core/x509';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { OpensslFolder, profiles } from '../x509/openssl-authority.js';
import { needsTools, toolPath } from './tools.js';

let folder: OpensslFolder;
beforeAll(() => {
  folder = new OpensslFolder();
  if (toolPath('openssl') === undefined) return;
  folder.root('root');
  folder.issue('server', 'root', { extensions: profiles.server });
  folder.issue('client', 'root', { extensions: profiles.client });
});
afterAll(() => folder[Symbol.dispose]());
beforeEach((context) => needsTools(context, 'openssl'));

const purposes = ['serverAuth', 'clientAuth', 'anyExtendedKeyUsage', 'emailProtection'];
const marks = [
  ['-trustout'],
  ...purposes.flatMap((purpose) => [
    ['-addtrust', purpose],
    ['-addreject', purpose],
    ['-addtrust', 'serverAuth', '-addreject', purpose],
    ['-addtrust', 'anyExtendedKeyUsage', '-addreject', purpose],
  ]),
  ['-addtrust', 'serverAuth', '-addtrust', 'clientAuth'],
  ['-setalias', 'a name'],
];

it.each(marks.map((args) => [args.join(' '), args] as const))('marked by %s', (_words, args) => {
  folder.run('x509', '-in', 'root.pem', ...args, '-trustout', '-out', 'marked.pem');
  for (const [leaf, usage, purpose] of [
    ['server', 'server', 'sslserver'],
    ['client', 'client', 'sslclient'],
  ] as const) {
    const anchors = [folder.read('marked.pem')];
    const { ok } = verifyPathSync({ leaf: folder.read(`${leaf}.pem`), anchors, usage });
    expect({ usage, ok }).toEqual({ usage, ok: folder.accepts(leaf, 'marked', ['-purpose', purpose]) });
  }
});
