/** The command line. */
import { parseArgs } from 'node:util';

export interface Plan {
  readonly quick: boolean;
  readonly only: readonly string[];
  /** Text that the title of what is measured contains, such as `32 B`; empty for all. */
  readonly match: string;
  /** Text that a contestant's name contains, one of these at least; empty for all. The first contestant always runs. */
  readonly beside: readonly string[];
  readonly rounds: number;
  readonly ms: number;
  /** The JSON of an earlier run, to print or draw again instead of measuring. */
  readonly from: string | null;
  readonly json: string | null;
  readonly chart: string | null;
  /** Where to draw a new client's time against the number of open connections. */
  readonly curve: string | null;
  /** Counts of an earlier run (`--count FILE`) to compare with. */
  readonly against: string | null;
  /** Where to record counts. */
  readonly count: string | null;
}

const FULL = { rounds: 9, ms: 400 };
const QUICK = { rounds: 1, ms: 30 };

/** @param names what `--only` may name @throws Error for anything else */
export function parsePlan(args: readonly string[], names: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      match: { type: 'string', default: '' },
      beside: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      ms: { type: 'string' },
      from: { type: 'string' },
      json: { type: 'string' },
      chart: { type: 'string' },
      curve: { type: 'string' },
      against: { type: 'string' },
      count: { type: 'string' },
    },
  });
  const unknown = values.only.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new Error(`nothing here is called '${unknown}'; there are ${names.join(', ')}`);
  const defaults = values.quick ? QUICK : FULL;
  return {
    quick: values.quick,
    only: values.only,
    match: values.match,
    beside: values.beside,
    rounds: wholeNumber('rounds', values.rounds) ?? defaults.rounds,
    ms: wholeNumber('ms', values.ms) ?? defaults.ms,
    from: values.from ?? null,
    json: values.json ?? null,
    chart: values.chart ?? null,
    curve: values.curve ?? null,
    against: values.against ?? null,
    count: values.count ?? null,
  };
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option} is a whole number, 1 or more, not '${text}'`);
  return Number(text);
}
