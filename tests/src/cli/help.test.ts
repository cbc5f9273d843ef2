import { describe, expect, it } from 'vitest';
import { knsock } from '../support/command.js';

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
});
