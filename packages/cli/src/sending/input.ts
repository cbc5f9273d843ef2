/** The source of the messages, and what stays on the terminal meanwhile. */
import type { Output } from '../output.js';
import { canRedraw } from '../terminal.js';
import { UsageError } from '../usage-error.js';
import type { Cut } from './cut.js';
import type { SendFlags } from './flags.js';
import { nothing, type Foreground } from './foreground.js';
import { messages, type Source, type SourceRequest } from './message-source.js';
import { Progress, totalOf } from './progress.js';
import { Prompt } from './prompt.js';

export interface Input {
  readonly source: Source;
  readonly foreground: Foreground;
  /** Whether anything is read, rather than given as arguments. */
  readonly streams: boolean;
  /** Whether it is typed interactively. */
  readonly typed: boolean;
}

/** @throws UsageError if standard input would have to be read twice */
export function requestOf(words: readonly string[], flags: SendFlags): SourceRequest {
  const request = { words, files: flags.file ?? [], times: flags.repeat };
  if (!readsOften(request)) return request;
  throw new UsageError(
    'standard input can be read once only',
    'To send it several times, put it into a file: --file FILE --repeat N.',
  );
}

export function inputOf(request: SourceRequest, flags: SendFlags, output: Output): Input {
  const { words, files } = request;
  const streams = files.length > 0 || words.length === 0 || words.includes('-');
  if (words.length + files.length === 0 && process.stdin.isTTY) return typed(flags, output);
  const source = messages(request, cutFor(flags));
  if (!streams || output.manner.quiet || !canRedraw()) {
    return { source, foreground: nothing, streams, typed: false };
  }
  const progress = new Progress(totalOf(request));
  return { source: progress.watch(source), foreground: progress, streams, typed: false };
}

function typed({ framing }: SendFlags, output: Output): Input {
  output.say('Connected. Each line is sent; Ctrl-D ends.');
  const prompt = new Prompt();
  const source = prompt.lines(framing === 'raw' ? '\n' : '');
  return { source, foreground: prompt, streams: true, typed: true };
}

function readsOften({ words, files, times }: SourceRequest): boolean {
  const reads = words.filter((word) => word === '-').length + (words.length + files.length === 0 ? 1 : 0);
  return reads * times > 1;
}

function cutFor({ framing, chunk, maxMessage }: SendFlags): Cut {
  const limit = maxMessage ?? 1_048_576;
  if (chunk !== undefined) return { by: { bytes: chunk }, limit };
  if (framing === 'raw') return { by: 'piece', limit };
  return { by: framing === 'lines' ? 'line' : 'whole', limit };
}
