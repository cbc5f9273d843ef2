/** The possible words at each place, from the tree of commands. */
import { flatten, type CommandDescription, type OptionDescription, type Value } from '../command-tree.js';

/** The possible words after one command. */
export interface Place {
  /** `knsock` itself: empty. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly (Word & { readonly names: readonly string[]; readonly value: Value })[];
  /** Its arguments. */
  readonly value: Value;
}

interface Word {
  readonly word: string;
  /** Without characters special to a shell. */
  readonly summary: string;
}

export function placesOf(root: CommandDescription): Place[] {
  const everywhere = root.options.filter(({ names }) => !names.includes('--version')).map(optionOf);
  return flatten(root).map(({ path, commands, options, arguments: args }) => ({
    path,
    commands: commands.map(({ path: below, summary }) => ({
      word: below.split(' ').at(-1) ?? below,
      summary: plain(summary),
    })),
    options: path === '' ? options.map(optionOf) : [...options.map(optionOf), ...everywhere],
    value: args.find(({ value }) => value !== 'text')?.value ?? 'none',
  }));
}

function optionOf({ names, summary, value }: OptionDescription): Place['options'][number] {
  return { word: names.at(-1) ?? '', names, summary: plain(summary), value };
}

function plain(text: string): string {
  return text.replace(/['"`$\\[\]]/g, '').replaceAll(':', ',');
}
