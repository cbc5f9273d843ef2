// The report of a run: a table, the list of survivors, and both as JSON.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../process.mjs';

/** Figures of each file, the weakest first, and of all together; with what a module does when loaded left out. */
export function figures(mutants) {
  const counted = mutants.filter(({ status }) => status !== 'left out');
  const files = [...new Set(counted.map(({ file }) => file))].map((file) => ({
    file,
    ...count(counted.filter((mutant) => mutant.file === file)),
  }));
  return { files: files.sort((a, b) => a.killed / a.all - b.killed / b.all), total: count(counted) };
}

function count(mutants) {
  const of = (status) => mutants.filter((mutant) => mutant.status === status).length;
  const late = mutants.filter((mutant) => mutant.late).length;
  const [killed, survived, uncovered] = ['killed', 'survived', 'uncovered'].map(of);
  return { all: mutants.length, killed, late, survived, uncovered, pending: of('pending') };
}

/** The table, as it stands in tests/mutation-report.md. */
export function table({ files, total }) {
  return [
    `${total.killed} of ${total.all} killed (${percent(total)}), ${total.late} of them by not ending`,
    ...(total.pending > 0 ? [`${total.pending} not tried yet: the figures are lower bounds`] : []),
    '',
    '| file | killed | survived | uncovered | |',
    '|---|---|---|---|---|',
    ...files.map((f) => `| \`${f.file}\` | ${f.killed} | ${f.survived} | ${f.uncovered} | ${percent(f)} |`),
  ].join('\n');
}

function percent({ killed, all }) {
  return `${((100 * killed) / Math.max(1, all)).toFixed(1)} %`;
}

/** Every mutant that no test killed: where it is, and what was replaced by what. */
export function survivors(mutants) {
  return mutants
    .filter(({ status }) => status === 'survived' || status === 'uncovered')
    .map(({ file, line, status, original, replacement }) => {
      return `${file}:${line} ${status === 'uncovered' ? '(uncovered) ' : ''}${short(original)} → ${short(replacement)}`;
    })
    .join('\n');
}

function short(code) {
  const line = code.replace(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 60)} … ${line.slice(-35)}` : line;
}

/** Writes `.tmp/mutation/report.json` and `report.txt`. */
export function writeReport(mutants) {
  const write = (name, text) => writeFileSync(path.join(root, '.tmp', 'mutation', name), `${text}\n`);
  write('report.json', JSON.stringify({ node: process.version, ...figures(mutants), mutants }, undefined, 1));
  write('report.txt', `Node ${process.version}\n\n${table(figures(mutants))}\n\n${survivors(mutants)}`);
}
