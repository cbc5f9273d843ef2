/** What a certificate costs the authority that serves: beside the signature that it takes at least. */
import { compete, isAsked, type Bench, type Work } from '../bench.js';
import { Child } from '../child.js';
import type { Row } from '../row.js';
import type { Served } from '../subject/enrolment.js';

/** Machines that renew in turn. */
const MACHINES = { full: 1_000, quick: 3 } as const;

const PART = 20;

export const enrolment: Work = {
  name: 'enrolment',
  async run(bench: Bench): Promise<Row[]> {
    const head = { work: 'a certificate from an authority that serves', unit: 'µs CPU each' };
    if (!isAsked(bench, head.work)) return [];
    const signer = Child.node('subject', 'subject/packages', 'a signature');
    const authority = Child.node('subject', 'subject/packages', 'the authority');
    const machines = Child.node('load', 'subject/packages', 'the machines');
    const at = await authority.ask<Served>({ do: 'serveAuthority' });
    bench.tell('machines enrol');
    const all = bench.quick ? MACHINES.quick : MACHINES.full;
    // In parts, each of which is answered in time.
    for (let count = Math.min(all, PART); count <= all; count += PART)
      await machines.ask({ do: 'fleet', at, count });
    const rows = await compete(bench, head, [
      { name: 'an ECDSA signature (P-256)', pid: signer.pid, run: (ms) => signer.ask({ do: 'signing', ms }) },
      { name: 'an enrolment', pid: authority.pid, run: (ms) => machines.ask({ do: 'enrolling', at, ms }) },
      { name: 'a renewal', pid: authority.pid, run: (ms) => machines.ask({ do: 'renewing', ms }) },
    ]);
    for (const child of [signer, machines, authority]) await child.end();
    return rows;
  },
};
