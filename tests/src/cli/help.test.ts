import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { knsock, knsockCommand } from '../support/command.js';

describe('knsock help', () => {
  it.each([
    [['help', 'proxy', 'server'], '--handshake-timeout'],
    [['help', 'certs', 'ca'], 'Usage: knsock certs ca'],
    [['proxy', 'server', '--help'], '\nExamples:\n'],
    [['check', '--help'], '\nExamples:\n'],
    [['certs', 'help', 'issue'], 'Usage: knsock certs issue'],
    [['certs', 'trust', 'help', 'install'], 'Usage: knsock certs trust install'],
    [['help', 'send'], 'Usage: knsock send'],
    [['help'], 'Usage: knsock'],
  ])("%j shows that command's help", async (args, words) => {
    const { code, stdout } = await knsock(args);
    expect(code).toBe(0);
    expect(stdout).toContain(words);
  });

  it.each([
    [['help', 'foo'], "unknown command 'foo'"],
    [['help', 'proxy', 'sever'], 'Did you mean server?'],
    [['certs', 'isue', '--help'], 'Did you mean issue?'],
    [['certs', 'help', 'nope'], "unknown command 'nope'"],
  ])('%j says that there is no such command', async (args, words) => {
    const { code, stderr } = await knsock(args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  it.each([[['certs']], [['proxy']], [['certs', 'trust']], [['certs', 'help', 'nope']]])(
    '%j with --json prints its failure as JSON',
    async (args) => {
      const { code, stdout } = await knsock([...args, '--json']);
      expect(code).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({ event: 'error', code: 'KNSOCK_USAGE', exitCode: 2 });
    },
  );

  it('prints the failure to renew an enrolled machine as JSON', async () => {
    const { code, stdout } = await knsock(['certs', 'renew', '--dir', 'no-such-folder', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ event: 'error', dir: 'no-such-folder', exitCode: code });
  });

  it('names options by their flags in errors', async () => {
    const { stderr } = await knsock(['serve', '--dev', '--max-connections', '0']);
    expect(stderr.split('\n')[0]).not.toContain('maxConnections');
    expect(stderr).toContain('--max-connections');
  });

  it.each([
    [['serve', '--cafile', 'ca.crt'], 'Did you mean --ca?'],
    [['serve', '--listen', ':8443'], 'Did you mean --port?'],
    [['send', 'localhost:1', 'x', '--cacert=ca.crt'], 'Did you mean --ca?'],
    [['send', 'localhost:1', 'x', '-k'], 'Did you mean --dangerously-skip-verification?'],
    [['send-ssl-tcp', 'localhost', '1', 'x', '--insecure'], 'Did you mean --no-verify?'],
    [['certs', 'serve', '--port', '1'], 'Did you mean --listen?'],
    [
      ['proxy', 'client', '--listen', ':1', '--target', ':2', '--accept-proxy', '::1'],
      'Did you mean --proxy-protocol-from?',
    ],
    [['certs', 'token', '--store', 'certs'], 'It is an argument: write it without --store.'],
    [['certs', 'issue', '--cn', 'app'], 'Did you mean --common-name?'],
    [['doctor', '--toString'], 'knsock doctor --help lists its arguments and options.'],
  ])('%j says which flag is meant by a name of other programs', async (args, words) => {
    const { code, stderr } = await knsock(args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  it('fits a terminal, and has its examples apart from the text above them', async () => {
    const shown = await promisify(execFile)('script', [
      '-qc',
      `stty cols 80; ${[...knsockCommand, 'help', 'certs', 'sign'].join(' ')}`,
      '/dev/null',
    ]);
    const [above = '', below] = shown.stdout.replaceAll('\r', '').split('\n\nExamples:\n');
    expect(below).toContain('$ knsock certs sign');
    const options = above.slice(0, above.indexOf('display help'));
    expect(Math.max(...options.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
  });
});
