/**
 * Every shape of program against every way in which a peer ends: nothing stays open, nothing is reported twice, and no process
 * ends, with default options and within the times of docs/connections.md.
 */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { AttackReport } from './attack.program.js';
import { wires } from './attack-ends.js';
import { hearFrom, startProgram } from './program.js';
import { sizes } from './sizes.js';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** @param part which of the cells, where not all are run */
async function run(role: string, framing: string, version: string, part: number): Promise<AttackReport> {
  const step = String(sizes.attackStep);
  const child = startProgram('attack', [role, framing, version, step, String(part % sizes.attackStep)]);
  const exited = once(child, 'exit');
  try {
    const report = await hearFrom<AttackReport>(child);
    // With nothing left open a process ends by itself.
    expect(await exited).toEqual([0, null]);
    return report;
  } finally {
    child.kill('SIGKILL');
  }
}

describe.each(Object.keys(wires).map((framing, index) => ({ framing, index })))(
  '$framing',
  ({ framing, index }) => {
    it.each(['server', 'client'])('a %s under attack keeps its rules', async (role) => {
      const parts = versions.map((version, n) =>
        run(role, framing, version, 2 * index + n + (role === 'server' ? 1 : 0)),
      );
      for (const report of await Promise.all(parts)) {
        expect(report.complaints).toEqual([]);
        expect(report.cells).toBeGreaterThan(0);
      }
    });
  },
);
