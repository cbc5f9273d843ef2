/**
 * Measures knsock beside plain node:tls and others (docs/performance.md says how, and what the figures mean).
 *
 *     npm run bench -- [--quick] [--only NAME]… [--match TEXT] [--beside TEXT]…
 *         [--rounds N] [--ms N] [--json FILE] [--chart FILE.svg] [--curve FILE.svg] [--from FILE]
 *     npm run bench -- --count FILE | --against FILE [--match TEXT]
 *
 * The second form counts the instructions of hot paths without sockets, and records them or compares them with those
 * recorded: for machines too busy to time anything.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { makeCertificates, removeCertificates } from './certificates.js';
import { Child } from './child.js';
import { machine, type Machine } from './machine.js';
import { parsePlan, type Plan } from './plan.js';
import { compare, count, type Counted } from './counted/count.js';
import { chart } from './report/chart.js';
import { curve } from './report/curve.js';
import { heading, tables } from './report/table.js';
import type { Row } from './row.js';
import { works } from './work/works.js';

async function main(): Promise<void> {
  const plan = parsePlan(
    process.argv.slice(2),
    works.map(({ name }) => name),
  );
  if (plan.count !== null || plan.against !== null) {
    await counts(plan);
    return;
  }
  const { machine: where, rows } = plan.from === null ? await measureAll(plan) : readRun(plan.from, plan);
  if (plan.json !== null)
    writeFileSync(plan.json, `${JSON.stringify({ machine: where, plan, rows }, null, 2)}\n`);
  if (plan.chart !== null) writeFileSync(plan.chart, chart(rows));
  if (plan.curve !== null) writeFileSync(plan.curve, curve(rows));
}

/** Exits with 1 where something became dearer. */
async function counts({ against, count: file, match }: Plan): Promise<void> {
  const now = await count(match, tell);
  if (file !== null) writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`);
  if (against === null) return;
  const { text, dearer } = compare(JSON.parse(readFileSync(against, 'utf8')) as Counted, now);
  console.log(text);
  if (dearer.length > 0) console.error(`dearer by more than 5 %: ${dearer.join('; ')}`);
  process.exitCode = dearer.length > 0 ? 1 : 0;
}

interface Run {
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

async function measureAll(plan: Plan): Promise<Run> {
  const where = machine();
  console.log(`${heading(where)}\n`);
  return { machine: where, rows: await measure(plan) };
}

/** What an earlier run measured, as far as the plan asks for it. */
function readRun(file: string, { match, beside }: Plan): Run {
  const run = JSON.parse(readFileSync(file, 'utf8')) as Run;
  const rows = run.rows.filter(
    ({ work, contestant, ratio }) =>
      work.includes(match) &&
      (ratio === null || beside.length === 0 || beside.some((part) => contestant.includes(part))),
  );
  console.log(`${heading(run.machine)}\n\n${tables(rows)}`);
  return { ...run, rows };
}

/** Speed fails no run: it is for people to judge. */
async function measure(plan: Plan): Promise<Row[]> {
  const files = await makeCertificates();
  const rows: Row[] = [];
  try {
    for (const work of works.filter(({ name }) => plan.only.length === 0 || plan.only.includes(name))) {
      const load = Child.node('load', 'load/load', 'the load generator');
      const measured = await work.run({ ...plan, files, load, tell });
      await load.end();
      console.log(tables(measured));
      rows.push(...measured);
    }
  } finally {
    removeCertificates(files);
  }
  return rows;
}

const started = performance.now();

function tell(news: string): void {
  console.error(`${Math.round((performance.now() - started) / 1_000)} s: ${news}`);
}

void main();
