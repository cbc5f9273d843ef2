import type { Value } from '../command-tree.js';
import type { Place } from './words.js';

/** For `knsock completion fish | source`, or a file in fish's folder of completions. */
export function fishCompletion(places: readonly Place[]): string {
  return `# knsock completion for fish
function __knsock_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${places.flatMap(({ path }) => (path === '' ? [] : [`' ${path}'`])).join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
complete -c knsock -f
${places.flatMap(lines).join('\n')}
`;
}

function lines({ path, commands, options, value }: Place): string[] {
  const at = `complete -c knsock -n "__knsock_at '${path === '' ? '' : ` ${path}`}'"`;
  return [
    ...commands.map(({ word, summary }) => `${at} -a ${word} -d '${summary}'`),
    ...options.map(
      ({ names, summary, value: after }) =>
        `${at} ${names.map(flag).join(' ')} -d '${summary}'${takes(after)}`,
    ),
    ...(value === 'path' ? [`${at} -F`] : []),
    ...(typeof value === 'object' ? [`${at} -a '${value.join(' ')}'`] : []),
  ];
}

function flag(name: string): string {
  return name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`;
}

function takes(value: Value): string {
  if (value === 'none') return '';
  if (value === 'path') return ' -r -F';
  return typeof value === 'object' ? ` -x -a '${value.join(' ')}'` : ' -x';
}
