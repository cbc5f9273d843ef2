/**
 * Measures knsock beside plain node:tls and others (docs/performance.md says how, and what the figures mean).
 *
 *     npm run bench -- [--quick] [--only NAME]… [--match TEXT] [--beside TEXT]…
 *         [--rounds N] [--ms N] [--json FILE] [--chart FILE.svg]
 */
import { writeFileSync } from 'node:fs';
import { makeCertificates, removeCertificates } from './certificates.js';
import { Child } from './child.js';
import { machine } from './machine.js';
import { parsePlan, type Plan } from './plan.js';
import { chart } from './report/chart.js';
import { heading, tables } from './report/table.js';
import type { Row } from './row.js';
import { works } from './work/works.js';

async function main(): Promise<void> {
  const plan = parsePlan(
    process.argv.slice(2),
    works.map(({ name }) => name),
  );
  const where = machine();
  console.log(`${heading(where)}\n`);
  const rows = await measure(plan);
  if (plan.json !== null)
    writeFileSync(plan.json, `${JSON.stringify({ machine: where, plan, rows }, null, 2)}\n`);
  if (plan.chart !== null) writeFileSync(plan.chart, chart(rows));
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
