// What this package, @knsock/certs and @knsock/pool read their options with
export {
  checkOptions,
  readAllOptions,
  readOptions,
  refuseOptions,
  refuseUnknown,
  required,
  withDefault,
  wrongOptions,
  type DefaultingReader,
  type OptionReaders,
  type Readers,
  type ReadOptions,
} from './check-options.js';
export { failures } from './failures.js';
export {
  abortSignal,
  anything,
  bytes,
  bytesOrList,
  callback,
  date,
  duration,
  fileName,
  filePath,
  flag,
  fraction,
  having,
  integer,
  integerWithin,
  list,
  LONGEST_WAIT,
  milliseconds,
  number,
  oneOf,
  optionalMilliseconds,
  record,
  string,
  text,
  textOrTexts,
  texts,
  word,
  wrongKind,
  type Bounds,
} from './readers.js';
export { CLOSE_PATIENCE, warnOfClose } from '../errors/close-warning.js';
export { noConnection, type FailureReporter } from '../errors/failure-reporter.js';
export { asError } from '../errors/as-error.js';
export { failedCall, reportUnawaited, type Unawaited } from '../errors/call-promise.js';
export { reportingController } from '../errors/reporting-signal.js';
export { follow, isThenable } from '../errors/thenable.js';
export { nearest } from './suggestion.js';

// What they wait with
export { backOffDelay, type BackOff } from '../waiting/back-off.js';
export { decodeText } from '../waiting/decode-text.js';
export { offAbort, onAbort } from '../waiting/on-abort.js';
export { filesBelow } from '../waiting/files-below.js';
export { raceAbort } from '../waiting/race-abort.js';
export { kindOf, readWhole, type ReadBounds } from '../waiting/read-whole.js';
export { spanInWords } from '../waiting/span-in-words.js';
export { withDeadline, type DeadlinedWork } from '../waiting/with-deadline.js';
