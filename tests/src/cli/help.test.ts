import { describe, expect, it } from 'vitest';
import { knsock } from '../support/command.js';

describe('knsock help', () => {
  it.each([
    [['help', 'proxy', 'server'], '--handshake-timeout'],
    [['help', 'certs', 'ca'], 'Usage: knsock certs ca'],
    [['proxy', 'server', '--help'], '\nExamples:\n'],
    [['check', '--help'], '\nExamples:\n'],
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
  ])('%j says that there is no such command', async (args, words) => {
    const { code, stderr } = await knsock(args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  it('names options by their flags in errors', async () => {
    const { stderr } = await knsock(['serve', '--dev', '--max-connections', '0']);
    expect(stderr.split('\n')[0]).not.toContain('maxConnections');
    expect(stderr).toContain('--max-connections');
  });
});
