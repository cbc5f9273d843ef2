import { InvalidOptionError } from '@knsock/core/errors';
import { describe, expect, it } from 'vitest';
import { describeFailure } from './failure.js';

describe('a failure', () => {
  it('for lack of a working directory says so', () => {
    const error = Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), {
      code: 'ENOENT',
      syscall: 'uv_cwd',
    });
    expect(describeFailure(error, 'knsock certs issue')).toMatchObject({
      message: 'the working directory was deleted',
      code: 'KNSOCK_READ',
    });
  });

  it.each([
    ['pfxKeyName', '--pfx-key-name'],
    ['caFile', '--ca'],
    ['expiresIn', '--expires'],
  ])("names the flag of the library's option %s", (option, flag) => {
    const error = new InvalidOptionError(option, `${option} can't be used here`);
    expect(describeFailure(error).message).toBe(`${flag} can't be used here`);
  });

  it("names the flag where the library's message doesn't name its option, and the command's own where it has another", () => {
    expect(describeFailure(new InvalidOptionError('pins', 'a pin has 51 characters')).message).toBe(
      '--pin: a pin has 51 characters',
    );
    const lacking = new InvalidOptionError(
      'clientCertificates',
      'verifying clients requires their CA: caFile',
    );
    expect(describeFailure(lacking).message).toBe('--client-cert: verifying clients requires their CA: --ca');
    const late = new InvalidOptionError('connectTimeout', 'connectTimeout must be a number');
    expect(describeFailure(late, 'knsock check').message).toBe('--timeout must be a number');
    expect(describeFailure(late, 'knsock send').message).toBe('--connect-timeout must be a number');
  });
});
