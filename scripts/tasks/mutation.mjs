import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { execute, root } from '../process.mjs';

/** What holds the rules of how things live and end, where a change that no test notices would hurt most. */
const usual = [
  'packages/core/src/connection',
  'packages/core/src/trust',
  'packages/core/src/server',
  'packages/pool/src/pool',
  'packages/pool/src/waiting',
  'packages/pool/src/endpoints',
];

/**
 * Changes the sources, one place after the other, and tells which changes the unit tests beside them don't notice.
 * Arguments are folders or files: `npm run test:mutation -- packages/pool/src/pool`; the usual ones take hours. The report
 * is `.tmp/mutation/report.html`.
 */
export async function run(args) {
  const places = args.length === 0 ? usual : args;
  const missing = places.find((place) => !existsSync(path.join(root, place)));
  if (missing !== undefined) {
    console.error(`There is no ${missing}: name folders or files of the sources, as packages/pool/src/pool.`);
    return 2;
  }
  const { code } = await execute('stryker', ['run', '--mutate', places.flatMap(patterns).join(',')]);
  return code;
}

function patterns(place) {
  const folder = place.replace(/\/+$/, '');
  if (!statSync(path.join(root, folder)).isDirectory()) return [folder];
  return [`${folder}/**/*.ts`, `!${folder}/**/*.test.ts`];
}
