import { describe, expect, it } from 'vitest';
import type { Command, Option } from 'commander';
import { Output } from './output.js';
import { buildProgram } from './program.js';

const output = new Output({ quiet: true, json: false, debug: false });

function* commandsOf(command: Command): Generator<Command> {
  yield command;
  for (const below of command.commands) yield* commandsOf(below);
}

/** Every option of every command that takes a value. */
async function valued(): Promise<[Command, Option][]> {
  const program = await buildProgram('all', output);
  return [...commandsOf(program)].flatMap((command) =>
    command.options
      .filter(({ required, optional }) => required || optional)
      .map((option): [Command, Option] => [command, option]),
  );
}

function refused(command: Command, flag: string, value: string): Error | undefined {
  try {
    command.parseOptions([flag, value]);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

const refusal = (command: Command, flag: string, value: string): string =>
  refused(command, flag, value)?.message ?? '';

/** Flags that name an authority in a store by its files. */
const named: ReadonlySet<string> = new Set(['--authority', '--under', '--replaces']);

describe('a value that an option does not take', () => {
  it('is refused by the name of the flag if it is empty, by every option but a server name', async () => {
    const options = await valued();
    expect(options.length).toBeGreaterThan(200);
    for (const [command, { long }] of options) {
      const flag = long ?? '';
      const said = refusal(command, flag, '');
      if (flag.endsWith('servername')) expect(said, flag).toBe('');
      else expect(said, `${command.name()} ${flag}`).toContain(flag);
    }
  });

  it('is refused by the name of the flag if it is a path whose ~ the shell left, as in --out=~/x', async () => {
    const options = (await valued()).filter(([, { flags }]) => /<(file|path|directory|folder)/.test(flags));
    expect(options.length).toBeGreaterThan(60);
    for (const [command, { long }] of options) {
      const flag = long ?? '';
      expect(refusal(command, flag, '~/x'), `${command.name()} ${flag}`).toContain(`${flag}: the shell left`);
      expect(refusal(command, flag, 'x~/y'), `${command.name()} ${flag}`).not.toContain('the shell');
    }
  });

  it('is refused by the name of the flag if it is no address, number, time, size or pin', async () => {
    const kinds = /<(address|ms|time|bytes|n|number|port|pin)>/;
    const options = (await valued()).filter(([, { flags }]) => kinds.test(flags));
    expect(options.length).toBeGreaterThan(60);
    const silent = options
      .filter(([command, { long }]) => !refusal(command, long ?? '', 'x y').includes(long ?? ''))
      .map(([command, { flags }]) => `${command.name()} ${flags}`);
    expect(silent).toEqual(PARSED_LATER);
  });

  it('is refused by the name of the flag if it is a number out of range, 0 among them', async () => {
    const options = (await valued()).filter(([, { flags }]) => /<(ms|time|bytes|n)>/.test(flags));
    expect(options.length).toBeGreaterThan(40);
    const taken = options.flatMap(([command, { long, flags }]) =>
      ['0', '-1', 'NaN', '1.5', '1e3', 'Infinity', '9'.repeat(20)]
        .filter((value) => !refusal(command, long ?? '', value).includes(long ?? ''))
        .map((value) => `${command.name()} ${flags} ${value}`),
    );
    expect(taken).toEqual(TAKES_NONE);
  });

  it('is refused by the name of the flag if it names files in a folder of ours and no file system takes it', async () => {
    const options = (await valued()).filter(
      ([, { description, long }]) => /^name of its files?\b/.test(description) || named.has(long ?? ''),
    );
    expect(new Set(options.map(([, { long }]) => long))).toEqual(new Set(['--file', '--name', ...named]));
    for (const [command, { long }] of options)
      for (const name of ['../a', 'a/b', '.', '..', '-a', 'a b', 'a\nb', 'a\0b', 'a'.repeat(201)])
        expect(refused(command, long ?? '', name), `${command.name()} ${long}`).toMatchObject({
          code: 'KNSOCK_INVALID_OPTION',
          message: expect.stringMatching(`^${long} must be the name of a file`) as string,
        });
  });

  it('is refused by the name of the flag if it is a folder, and files beside it are to be made', async () => {
    const options = (await valued()).filter(([, { description }]) =>
      description.startsWith('path of the output'),
    );
    expect(options.map(([command]) => command.name())).toEqual(['self-signed', 'csr']);
    for (const [command] of options)
      for (const place of ['.', '..', 'a/', 'a/.', 'a\0b'])
        expect(refused(command, '--out', place)).toMatchObject({
          code: 'KNSOCK_INVALID_OPTION',
          message: expect.stringContaining('--out must') as string,
        });
  });

  it('is refused if a port stands in --host', async () => {
    const hosts = (await valued()).filter(([, { long }]) => long === '--host');
    expect(hosts).toHaveLength(2);
    for (const [command] of hosts) {
      expect(refusal(command, '--host', 'localhost:8443')).toContain('without a port');
      expect(refusal(command, '--host', '::1')).toBe('');
    }
  });
});

/** No certificate authority below it; and a warning for what has expired alone. */
const TAKES_NONE = ['ca --path-length <n> 0', 'expiry --days <n> 0'];

/** Mailboxes, which the library reads; the error names the flag. */
const PARSED_LATER = ['serve --acme-email <address>', 'server --acme-email <address>'];
