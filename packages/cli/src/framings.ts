/** The framings by the names of `--framing` and `--content`; loaded only by commands that connect or listen. */
import { json, knsock, lengthPrefixed, lines, raw, type Framing } from '@knsock/core/framing';
import type { FramingName } from './options.js';

const framings = { knsock, raw, lines, 'length-prefixed': lengthPrefixed } as const;

export function framingOf({
  framing,
  content,
}: {
  framing: FramingName;
  content: 'bytes' | 'json';
}): Framing {
  const base: Framing = framings[framing]();
  // JSON's values aren't bytes, but the code here never looks inside.
  return content === 'json' ? (json(base) as unknown as Framing) : base;
}
