import { describe, expect, it } from 'vitest';
import {
  earlyEnd,
  explainSilence,
  possibleCauses,
  type EarlyEndEvidence,
  type SilentEnd,
} from './early-end.js';

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

  it('is reported with the address, every cause in order, and the certificate shown', () => {
    const cause = new Error('reset');
    const error = earlyEnd({ ...nothing, asked: true, shown: 'CN=app' }, cause);
    expect(error).toMatchObject({ code: 'KNSOCK_CONNECTION_ENDED_EARLY', retryable: true, cause });
    expect(error.message).toBe(
      'db.internal:5433 ended the connection before it sent anything: probably it refused our certificate (CN=app); ' +
        'or it speaks another framing than lines; or its handler failed or ended the connection',
    );
    expect(error.hint).toMatch(/trust the CA.*same framing.*handler fail.*log/);
  });

  it('mentions a certificate only where the server requested one', () => {
    expect(earlyEnd(nothing, undefined).message).not.toContain('certificate');
    expect(earlyEnd({ ...nothing, asked: true }, undefined).message).toContain(
      'requires a client certificate',
    );
  });
});

describe('a silent end', () => {
  const silent: SilentEnd = { ...nothing, asked: true, version: 'TLSv1.3', resumed: false, awaited: false };
  const failing = (code: string): Error => Object.assign(new Error(code), { code });

  it.each<[string, Partial<SilentEnd>, Error | undefined, boolean]>([
    ['at once under TLS 1.3', {}, undefined, true],
    ['at once by a reset', {}, failing('ECONNRESET'), true],
    ['at once towards what was still being sent', {}, failing('EPIPE'), true],
    ['by an error that says more itself', {}, failing('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), false],
    ['by an error without a code', {}, new Error('odd'), false],
    ['behind session tickets', { tickets: true }, undefined, false],
    ['of a resumed session', { resumed: true }, undefined, false],
    ['under TLS 1.2, where tickets come earlier', { version: 'TLSv1.2' }, undefined, false],
    ['behind tickets, while an answer is awaited', { tickets: true, awaited: true }, undefined, true],
    ['of a resumed session, while an answer is awaited', { resumed: true, awaited: true }, undefined, true],
    ['under TLS 1.2, while an answer is awaited', { version: 'TLSv1.2', awaited: true }, undefined, true],
    ['by an error that says more itself, while an answer is awaited', { awaited: true }, failing('E'), false],
  ])('%s', (_, evidence, error, isFailure) => {
    const explained = explainSilence({ ...silent, ...evidence }, error);
    expect(explained !== null).toBe(isFailure);
    if (explained !== null)
      expect(explained).toMatchObject({ causes: possibleCauses({ ...silent, ...evidence }) });
    if (explained !== null) expect(explained.cause).toBe(error);
  });
});
