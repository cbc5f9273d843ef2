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

function refusal(command: Command, flag: string, value: string): string {
  try {
    command.parseOptions([flag, value]);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

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

  it('is refused by the name of the flag if it is no address, number, time, size or pin', async () => {
    const kinds = /<(address|ms|time|bytes|n|number|port|pin)>/;
    const options = (await valued()).filter(([, { flags }]) => kinds.test(flags));
    expect(options.length).toBeGreaterThan(60);
    const silent = options
      .filter(([command, { long }]) => !refusal(command, long ?? '', 'x y').includes(long ?? ''))
      .map(([command, { flags }]) => `${command.name()} ${flags}`);
    expect(silent).toEqual(PARSED_LATER);
  });
});

/** Hosts, which are resolved, mailboxes, which the library reads, and the addresses of a proxy, whose errors show the value instead. */
const PARSED_LATER = [
  'serve --host <address>',
  'serve --acme-email <address>',
  'server --listen <address>',
  'server --target <address>',
  'server --acme-email <address>',
  'client --listen <address>',
  'client --target <address>',
  'run-ssl-tcp-server --host <address>',
];
