/** Memory of a server while clients come of which each has a certificate and an address of its own: it must stay flat. */
import { isAsked, type Work } from '../bench.js';
import { Child } from '../child.js';
import { memoryRow, type Row } from '../row.js';
import { residentBytes } from '../usage.js';

/** How many came when memory is looked at; growth counts from the first, by which every cache is full. */
const SEEN = { full: [10_000, 40_000, 70_000, 100_000], quick: [100, 200] } as const;
/** On a slow machine there are fewer, and the report says how many. */
const LONGEST_MS = 180_000;
const BATCH = 1_000;
/** A sixteenth of what a hundred thousand certificates alone would take. */
const MOST_GROWTH_MIB = 8;

export const certificatesSeen: Work = {
  name: 'certificates',
  async run(bench) {
    const work = 'clients, each with a certificate and an address of its own';
    if (!isAsked(bench, work)) return [];
    const { files, load } = bench;
    const child = Child.node('subject', 'subject/subject', 'knsock');
    const serving = {
      do: 'serveOurs',
      framing: 'length-prefixed',
      behaviour: 'greet',
      clientCertificates: true,
      limitsAddresses: true,
    };
    const { port } = await child.ask<{ port: number }>({ ...serving, files });
    const until = performance.now() + LONGEST_MS;
    const rows: Row[] = [];
    let seen = 0;
    let first: number | null = null;
    for (const count of bench.quick ? SEEN.quick : SEEN.full) {
      for (; seen < count && performance.now() < until; seen += Math.min(BATCH, count - seen))
        await load.ask({
          do: 'manyCertificates',
          files,
          port,
          count: Math.min(BATCH, count - seen),
          from: seen,
        });
      bench.tell(`${seen} certificates`);
      const { heapUsed, external } = await child.ask<{ heapUsed: number; external: number }>({
        do: 'collect',
      });
      const heap = (heapUsed + external) / 1_048_576;
      const contestant = `${seen.toLocaleString('en')} of them`;
      rows.push(
        memoryRow(
          { work, contestant, unit: 'MiB of JavaScript heap' },
          heap,
          first === null ? null : first + MOST_GROWTH_MIB,
        ),
      );
      rows.push(
        memoryRow({ work, contestant, unit: 'MiB resident' }, residentBytes(child.pid) / 1_048_576, null),
      );
      first ??= heap;
      if (seen < count) break;
    }
    await child.end();
    return rows;
  },
};
