import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { mutate } from '../mutation/mutants.mjs';
import { figures, survivors, table, writeReport } from '../mutation/report.mjs';
import { Results } from '../mutation/results.mjs';
import { tryMutants } from '../mutation/trials.mjs';
import { root } from '../process.mjs';

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
 * Changes the sources of some places, and tells which changes the unit tests in the same folders don't notice. Arguments
 * are folders or files: `npm run test:mutation -- packages/pool/src/pool`; `--survivors` lists what is known without
 * trying anything, `--fresh` forgets what earlier runs found.
 */
export async function run(args) {
  const named = args.filter((arg) => !arg.startsWith('--'));
  const places = (named.length === 0 ? usual : named).map((place) => place.replace(/\/+$/, ''));
  const wrong = args.find((arg) => arg.startsWith('--') && arg !== '--survivors' && arg !== '--fresh');
  if (wrong !== undefined) return refuse(`There is no option ${wrong}: they are --survivors and --fresh.`);
  const missing = places.find((place) => !existsSync(path.join(root, place)));
  if (missing !== undefined)
    return refuse(`There is no ${missing}: name folders or files, as packages/pool/src/pool.`);
  await measure(places, { only: args.includes('--survivors'), fresh: args.includes('--fresh') });
  return 0;
}

function refuse(reason) {
  console.error(reason);
  return 2;
}

async function measure(places, { only, fresh }) {
  const { sources, tests } = files(places);
  const { instrumented, mutants } = await mutate(sources);
  const results = new Results(mutants, tests, fresh && !only);
  if (!only) await tryOpen(instrumented, results);
  writeReport(results.list);
  console.log(only ? survivors(results.list) : table(figures(results.list)));
}

async function tryOpen(instrumented, results) {
  const tests = results.openTests;
  if (tests.length === 0) return;
  const saving = setInterval(() => results.save(), 5000); // an interrupted run keeps what it found
  try {
    const { settled, tried } = results;
    await tryMutants({ instrumented, tests, settled, tried }, (entry) => results.take(entry));
    results.complete(tests);
  } finally {
    clearInterval(saving);
    results.save();
  }
  for (const test of results.broken) console.log(`not used, for it fails without any mutant: ${test}`);
  for (const test of results.slow) console.log(`not used, for it takes too long: ${test}`);
}

/** The sources of the places, and the unit tests of their folders. */
function files(places) {
  const folders = places.map((place) => (isFolder(place) ? place : path.posix.dirname(place)));
  // Random calls on whole connections take seconds a run: too long to be tried on thousands of mutants.
  const isUsed = (file) => file.endsWith('.test.ts') && !file.endsWith('.model.test.ts');
  const tests = [...new Set(folders.flatMap(typescript))].filter(isUsed);
  const sources = places.flatMap((place) => (isFolder(place) ? typescript(place) : [place]));
  return { tests, sources: [...new Set(sources)].filter((file) => !file.endsWith('.test.ts')) };
}

function isFolder(place) {
  return statSync(path.join(root, place)).isDirectory();
}

function typescript(folder) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .map((name) => `${folder}/${name.split(path.sep).join('/')}`)
    .filter((name) => name.endsWith('.ts'))
    .sort();
}
