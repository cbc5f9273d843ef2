// What a package may weigh: `node scripts/sizes.mjs FOLDER` compares the tarballs of a folder, and what importing the
// built core reads, with the budgets below; exits with 1 where one is exceeded.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { publishedPackages, tarballOf } from './packages.mjs';

/** Bytes. A package that outgrows its budget is made smaller, or the budget is raised in a commit that says why. */
const budgets = {
  unpacked: {
    // Half of it are the code of enrolment, of the authority that serves and of ACME, and the comments in the types.
    '@knsock/certs': 384_000,
    // Two bundles: all commands, and `send` alone.
    '@knsock/cli': 1_580_000,
    // 420 KB of it are the pages of docs/, to which every error points.
    '@knsock/core': 1_210_000,
    '@knsock/pool': 95_000,
  },
  /** What Node reads and compiles before the program's first line; a kilobyte costs about 20 µs. */
  // What createCredentials may need is all of it, since it is synchronous: the readers of keys, key stores and PEM, and
  // the verification of its own chain.
  imported: { '@knsock/core': 315_000 },
};

/** The sizes of the files in a tarball, added up. */
function unpackedSize(tarball) {
  const listing = execFileSync('tar', ['-tzvf', tarball], { encoding: 'utf8' });
  return listing
    .trim()
    .split('\n')
    .reduce((total, line) => total + Number(line.trim().split(/\s+/)[2]), 0);
}

/** The sizes of a built file and of what it imports statically, added up. */
export function importedSize(file, seen = new Set()) {
  if (seen.has(file)) return 0;
  seen.add(file);
  const code = readFileSync(file, 'utf8');
  const imports = [...code.matchAll(/(?<=^|;)(?:import|export)\b(?:[^'"(]*\bfrom)?\s*["'](\.[^"']+)["']/gm)];
  return imports.reduce(
    (total, [, name]) => total + importedSize(path.resolve(path.dirname(file), name), seen),
    Buffer.byteLength(code),
  );
}

function rows(folder) {
  return publishedPackages().flatMap(({ folder: source, manifest }) => {
    const { name } = manifest;
    const packed = [
      `${name}, unpacked`,
      unpackedSize(path.join(folder, tarballOf(manifest))),
      budgets.unpacked[name],
    ];
    const allowed = budgets.imported[name];
    if (allowed === undefined) return [packed];
    return [packed, [`import '${name}' reads`, importedSize(path.join(source, 'dist/index.js')), allowed]];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [what, bytes, allowed] of rows(process.argv[2])) {
    const within = bytes <= allowed;
    if (!within) process.exitCode = 1;
    console.log(`${within ? 'ok' : 'OVER'}  ${what}: ${bytes} of ${allowed} bytes`);
  }
}
