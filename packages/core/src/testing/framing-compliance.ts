import {
  answersAnyBytes,
  copiesWhatItSays,
  distrustsLengths,
  hasName,
  keepsConnectionsApart,
  keepsTheLimit,
  lendsOnlyForTheCall,
  letsChunksGo,
  noticesTruncation,
  refusesBeforeWriting,
  returnsMessages,
  writesToNothing,
} from './framing-rules.js';
import { list, oneOf, checkOptions, type OptionReaders } from '../options/index.js';
import { FramingSubject, type AnyFraming } from './framing-subject.js';

/** What the suite can't find out by itself. */
export interface FramingComplianceOptions {
  /** `'kept'`: every message arrives as it was sent; `'lost'`: only their bytes do, as with `raw()`. Default `'kept'`. */
  boundaries?: 'kept' | 'lost';
  /** More payloads to try, such as those that this framing must escape. */
  payloads?: readonly Uint8Array[];
}

const readers: OptionReaders<FramingComplianceOptions> = {
  boundaries: (option, value) => oneOf(option, value, ['kept', 'lost']),
  payloads: list,
};

/** One rule of `Framing`; `check` throws where the framing breaks it. */
export interface FramingRule {
  /** A sentence that makes a test's name. */
  readonly name: string;
  /** Throws where the framing breaks the rule. */
  readonly check: () => void;
}

const rules: readonly (readonly [name: string, keeps: (subject: FramingSubject) => void])[] = [
  ['has a name, and no empty ALPN protocol', hasName],
  ['refuses what it cannot express before writing any of it', refusesBeforeWriting],
  ['returns messages unchanged, however their bytes are cut', returnsMessages],
  ['keeps connections apart', keepsConnectionsApart],
  ['never writes to payloads, chunks or delivered messages', writesToNothing],
  ['copies the bytes that copiesNext speaks of', copiesWhatItSays],
  ['delivers messages up to the limit and nothing above', keepsTheLimit],
  ['tells an end inside a message from an end between two', noticesTruncation],
  ['answers any bytes with messages or a ProtocolError', answersAnyBytes],
  ['spends no memory on lengths that are only announced', distrustsLengths],
  ['holds on to no chunk for a few bytes of it', letsChunksGo],
  ['where it lends, keeps no part of a chunk, and shows each message until it is taken', lendsOnlyForTheCall],
];

/**
 * The rules that every framing keeps, to be run by any test runner:
 * `for (const rule of framingRules(mine())) it(rule.name, rule.check);`
 * They are deterministic, need no network and take about a second.
 */
export function framingRules(framing: AnyFraming, options: FramingComplianceOptions = {}): FramingRule[] {
  checkOptions(options, readers);
  const subject = new FramingSubject(framing, options);
  return rules.map(([name, keeps]) => ({ name, check: () => keeps(subject) }));
}

/**
 * Runs all of `framingRules`.
 * @throws Error for the first rule broken; it names the rule, and its cause says how.
 */
export function checkFraming(framing: AnyFraming, options?: FramingComplianceOptions): void {
  for (const { name, check } of framingRules(framing, options)) {
    try {
      check();
    } catch (cause) {
      const how = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${framing.name} breaks a rule (${name}): ${how}`, { cause });
    }
  }
}
