import { describe, expect, it } from 'vitest';
import { earlyEnd, possibleCauses, type EarlyEndEvidence } from './early-end.js';

const nothing: EarlyEndEvidence = {
  address: 'db.internal:5433',
  framing: 'lines',
  agreed: false,
  asked: false,
  shown: null,
  tickets: false,
};

describe('an end before the first byte', () => {
  it.each<[string, Partial<EarlyEndEvidence>, readonly string[]]>([
    ['no certificate was asked for', {}, ['framing', 'handler']],
    ['nor asked for, and ALPN agreed', { agreed: true }, ['handler']],
    ['nor asked for, and ours was loaded', { shown: 'CN=a', tickets: true }, ['framing', 'handler']],
    ['one was asked for and no ticket came', { asked: true }, ['client-certificate', 'framing', 'handler']],
    ['and ALPN agreed', { asked: true, agreed: true }, ['client-certificate', 'handler']],
    ['tickets came', { asked: true, tickets: true }, ['framing', 'handler', 'client-certificate']],
    [
      'tickets came and ALPN agreed',
      { asked: true, tickets: true, agreed: true },
      ['handler', 'client-certificate'],
    ],
  ])('%s: the likeliest cause comes first', (_name, evidence, causes) => {
    expect(possibleCauses({ ...nothing, ...evidence })).toEqual(causes);
  });

  it('is told with the address, every cause in its order, and what was shown', () => {
    const cause = new Error('reset');
    const error = earlyEnd({ ...nothing, asked: true, shown: 'CN=app' }, cause);
    expect(error).toMatchObject({ code: 'KNSOCK_CONNECTION_ENDED_EARLY', retryable: true, cause });
    expect(error.message).toBe(
      'db.internal:5433 ended the connection before it sent anything: probably it refused our certificate (CN=app); ' +
        'or it speaks another framing than lines; or its handler failed or ended the connection',
    );
    expect(error.hint).toMatch(/trust the CA.*same framing.*handler fail.*log/);
  });

  it('asks for a certificate only where the server did', () => {
    expect(earlyEnd(nothing, undefined).message).not.toContain('certificate');
    expect(earlyEnd({ ...nothing, asked: true }, undefined).message).toContain(
      'requires a client certificate',
    );
  });
});
