import type { Value } from '../command-tree.js';
import type { Place } from './words.js';

/** For `source <(knsock completion bash)`. */
export function bashCompletion(places: readonly Place[]): string {
  return `# knsock completion for bash
_knsock_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY+=($(compgen -f -- "$cur"))
}
_knsock() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at="" i
  # --option=value comes in three pieces.
  if [[ $cur == = ]]; then cur=""; elif [[ $prev == = ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
${paths(places)}
    esac
  done
  at="\${at# }"
  COMPREPLY=()
  case "$at:$prev" in
${values(places)}
  esac
  case "$at" in
${places.map(words).join('\n')}
  esac
}
complete -F _knsock knsock
`;
}

function paths(places: readonly Place[]): string {
  const below = places.flatMap(({ path }) => (path === '' ? [] : [`' ${path}'`]));
  return `      ${below.join(' | ')}) at="$at \${COMP_WORDS[i]}" ;;`;
}

/** Completions of option values, a line for each kind of value and command. */
function values(places: readonly Place[]): string {
  return places
    .flatMap(({ path, options }) => {
      const patterns = new Map<string, string[]>();
      for (const { names, value } of options) {
        if (value === 'none') continue;
        const reply = replyOf(value);
        patterns.set(reply, [...(patterns.get(reply) ?? []), ...names.map((name) => `'${path}:${name}'`)]);
      }
      return [...patterns].map(([reply, names]) => `    ${names.join(' | ')}) ${reply}; return ;;`);
    })
    .join('\n');
}

function words({ path, commands, options, value }: Place): string {
  const fixed = typeof value === 'object' ? value : [];
  const all = [
    ...fixed,
    ...commands.map(({ word }) => word),
    ...options.flatMap(({ names }) => names),
    '--help',
  ];
  const files = value === 'path' ? '; [[ $cur == -* ]] || _knsock_files' : '';
  return `    '${path}') ${replyOf(all)}${files} ;;`;
}

function replyOf(value: Exclude<Value, 'none'>): string {
  if (value === 'path') return '_knsock_files';
  return value === 'text' ? ':' : `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$cur"))`;
}
