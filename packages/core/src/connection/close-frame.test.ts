import { describe, expect, it } from 'vitest';
import { ConnectionTimeoutError, PeerNotAllowedError, UntrustedPeerError } from '../errors/index.js';
import { FrameDecoder, Kind, parseClose, parseRefused } from '../framing/knsock/index.js';
import { MemoryOutput } from '../testing/index.js';
import { closeReason, encodeFailure, isProgramCode, readCloseCode, wrongReason } from './close-frame.js';

function said(error: Error, byProgram: boolean): unknown {
  const out = new MemoryOutput();
  encodeFailure(out, error, byProgram);
  let read: unknown;
  new FrameDecoder({ maxMessageBytes: 100 }).push(out.bytes(), {
    frame: (kind, _, body) => (read = kind === Kind.REFUSED ? parseRefused(body) : parseClose(body)),
  });
  return read;
}

describe('a failure', () => {
  const timeout = new ConnectionTimeoutError('idle', 5, 'nothing was sent');

  it('of the library is sent with its code and message', () => {
    expect(said(timeout, false)).toEqual({ code: 'KNSOCK_IDLE_TIMEOUT', text: 'nothing was sent' });
  });

  it('of the program is sent without a message, whatever kind of error it throws', () => {
    const internal = { code: 'KNSOCK_INTERNAL', text: '' };
    expect([said(timeout, true), said(new Error('secret'), true), said(new Error('secret'), false)]).toEqual([
      internal,
      internal,
      internal,
    ]);
  });

  it("of trust is a refusal, which doesn't reveal what the rules require", () => {
    expect(said(new UntrustedPeerError('expired', 0, 'since May'), false)).toMatchObject({
      reason: 'expired',
    });
    const refused = said(new PeerNotAllowedError('only ops may'), false) as { reason: string; text: string };
    expect(refused.reason).toBe('not-allowed');
    expect(refused.text).not.toContain('ops');
  });
});

it.each([
  ['moved', true],
  ['x'.repeat(64), true],
  ['', false],
  ['x'.repeat(65), false],
  ['KNSOCK_INTERNAL', false],
  ['ä', false],
])('treats %s as a code of the program: %s', (code, expected) => {
  expect(isProgramCode(code)).toBe(expected);
});

it('takes a text only beside a code', () => {
  expect(closeReason({})).toBeNull();
  expect(closeReason({ code: 'moved' })).toEqual({ code: 'moved', text: '' });
  expect(wrongReason({ text: 'why' })?.message).toContain('text needs a code');
});

it.each([
  ['KNSOCK_X', /reserved/],
  ['', /code must be 1 to 64 characters of printable ASCII, not ''/],
  [7, /not 7/],
] as const)('refuses a code that no frame may carry: %s', (code, words) => {
  expect(() => readCloseCode('code', code as never)).toThrow(
    expect.objectContaining({
      code: 'KNSOCK_INVALID_OPTION',
      option: 'code',
      message: expect.stringMatching(words) as string,
    }),
  );
});
