/** The framings by the names of `--framing` and `--content`; loaded only by what connects or listens. */
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
  // Of JSON the values aren't bytes, but what handles them here never looks inside.
  return content === 'json' ? (json(base) as unknown as Framing) : base;
}
