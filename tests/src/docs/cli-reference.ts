// The parts of docs/cli.md that are made from the command itself, so that they can't say anything else.
import {
  describeCommands,
  environment,
  exitCodes,
  type ArgumentDescription,
  type CommandDescription,
  type OptionDescription,
} from '@knsock/cli';

/** Each generated part of the page, by the name in its markers. */
export async function cliReference(): Promise<Readonly<Record<string, string>>> {
  const root = await describeCommands();
  const all = flatten(root);
  return {
    commands: all
      .filter(({ path }) => path !== '')
      .map(section)
      .join('\n'),
    'global-options': table(
      ['option', 'meaning'],
      root.options.map((option) => [code(option.flags), option.summary]),
    ),
    'exit-codes': table(
      ['code', 'meaning'],
      exitCodes.map(({ code: number, meaning }) => [String(number), meaning]),
    ),
    environment: table(
      ['variable', 'meaning'],
      [...standIns(all), ...Object.entries(environment)].map(([name, meaning]) => [code(name), meaning]),
    ),
  };
}

function flatten(command: CommandDescription): CommandDescription[] {
  return [command, ...command.commands.flatMap(flatten)];
}

function section({ path, summary, arguments: args, options, more, commands }: CommandDescription): string {
  const usage = [
    'knsock',
    path,
    ...args.map(({ shown }) => shown),
    ...(commands.length > 0 ? ['<command>'] : []),
  ];
  const level = path.includes(' ') ? '####' : '###';
  const [prose = '', examples] = more.split(/\s*\bExamples?:\n/);
  const rows = [...args.map(argumentRow), ...options.map(optionRow)];
  return [
    `${level} knsock ${path}\n`,
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.\n`,
    `\`\`\`sh\n${usage.join(' ')}\n\`\`\`\n`,
    ...(rows.length === 0 ? [] : [table(['argument or option', 'meaning', 'default, or variable'], rows)]),
    ...(prose === '' ? [] : [`${escape(prose)}\n`]),
    ...(examples === undefined
      ? []
      : [`\`\`\`sh\n${examples.replace(/^ {2}\$ /gm, '').trimEnd()}\n\`\`\`\n`]),
  ].join('\n');
}

function argumentRow({ shown, summary }: ArgumentDescription): string[] {
  return [code(shown), summary, ''];
}

function optionRow({ flags, summary, value, fallback, environment: variable }: OptionDescription): string[] {
  const [, words = summary, said] = /^(.*?) \(default: (.*)\)$/.exec(summary) ?? [];
  const choices = typeof value === 'object' ? `: ${value.map(code).join(', ')}` : '';
  const instead = variable === undefined ? [] : [code(variable)];
  return [code(flags), `${words}${choices}`, [...[said ?? fallback ?? []].flat(), ...instead].join('; ')];
}

/** The variables that stand in for options, with the options. */
function standIns(commands: readonly CommandDescription[]): [string, string][] {
  const flags = new Map<string, Set<string>>();
  for (const { environment: variable, names } of commands.flatMap(({ options }) => options)) {
    if (variable === undefined) continue;
    flags.set(variable, (flags.get(variable) ?? new Set()).add(code(names.at(-1) ?? '')));
  }
  return [...flags].map(([variable, options]) => [variable, `default of ${[...options].join(', ')}`]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => escape(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''].join('\n');
}

/** What Markdown would take for its own, outside of code. */
function escape(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((piece) => (piece.startsWith('`') ? piece : piece.replace(/[<*]/g, '\\$&')))
    .join('');
}

function code(text: string): string {
  return `\`${text}\``;
}
