/** The command line. */
import { parseArgs } from 'node:util';

export interface Plan {
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly rounds: number;
  readonly ms: number;
  readonly json: string | null;
  readonly chart: string | null;
}

const FULL = { rounds: 9, ms: 400 };
const QUICK = { rounds: 2, ms: 30 };

/** @param names what `--only` may name @throws Error for anything else */
export function parsePlan(args: readonly string[], names: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      json: { type: 'string' },
      chart: { type: 'string' },
    },
  });
  const unknown = values.only.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new Error(`nothing here is called '${unknown}'; there are ${names.join(', ')}`);
  const defaults = values.quick ? QUICK : FULL;
  const rounds = values.rounds === undefined ? defaults.rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds is a whole number, 1 or more');
  return {
    quick: values.quick,
    only: values.only,
    rounds,
    ms: defaults.ms,
    json: values.json ?? null,
    chart: values.chart ?? null,
  };
}
