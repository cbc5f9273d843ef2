// The sections of docs/errors.md, made from the table of errors.
import type { ErrorEntry, ErrorTable, OtherEntry, Topic } from './error-table.js';

/** Each generated part of the page, by the name in its markers. */
export function errorPage({ topics }: ErrorTable): Readonly<Record<string, string>> {
  return { codes: topics.map(topicPart).join('\n') };
}

function topicPart({ title, introduction, entries }: Topic): string {
  return [`## ${title}\n`, ...(introduction === '' ? [] : [introduction]), ...entries.map(section)].join(
    '\n',
  );
}

function section(entry: ErrorEntry | OtherEntry): string {
  const { code, meaning, causes, fix } = entry;
  const words = [meaning, `**Usual causes:** ${causes}`, `**What to do:** ${fix}`].map((text) => text.trim());
  const facts = entry.kind === 'error' ? `\n${factsOf(entry)}\n` : '';
  return `### ${code}\n\n${words.join('\n')}\n${facts}`;
}

const sides = { local: 'this side', peer: 'the peer', either: 'either side' };

function factsOf({ side, retryable, exit }: ErrorEntry): string {
  return `Usually at fault: ${sides[side]} · retryable: ${retryable ? 'yes' : 'no'} · exit code: ${exit}`;
}
