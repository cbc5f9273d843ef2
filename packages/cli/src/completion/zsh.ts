import type { Place } from './words.js';

/** For a file `_knsock` on zsh's fpath, or `source <(knsock completion zsh)`. */
export function zshCompletion(places: readonly Place[]): string {
  return `#compdef knsock
# knsock completion for zsh
_knsock() {
  local at="" i cur="\${words[CURRENT]}" prev="\${words[CURRENT-1]}"
  local -a choices
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${places.flatMap(({ path }) => (path === '' ? [] : [`' ${path}'`])).join('|')}) at="$at \${words[i]}" ;;
    esac
  done
  at="\${at# }"
  if [[ $cur == --*=* ]]; then prev="\${cur%%=*}"; cur="\${cur#*=}"; compset -P '*='; fi
  case "$at:$prev" in
${values(places)}
  esac
  case "$at" in
${places.map(words).join('\n')}
  esac
}
if [[ "\${funcstack[1]}" = _knsock ]]; then _knsock; else compdef _knsock knsock; fi
`;
}

function values(places: readonly Place[]): string {
  return places
    .flatMap(({ path, options }) =>
      options.flatMap(({ names, value }) => {
        if (value === 'none') return [];
        const where = names.map((name) => `'${path}:${name}'`).join('|');
        if (value === 'path') return [`    ${where}) _files; return ;;`];
        return [
          `    ${where}) ${value === 'text' ? '_message value' : `compadd -- ${value.join(' ')}`}; return ;;`,
        ];
      }),
    )
    .join('\n');
}

function words({ path, commands, options, value }: Place): string {
  const shown = [...commands.map(({ word, summary }) => `'${word}:${summary}'`)];
  const flags = options.flatMap(({ names, summary }) => names.map((name) => `'${name}:${summary}'`));
  const files = value === 'path' ? ' || _files' : '';
  const fixed = typeof value === 'object' ? `compadd -- ${value.join(' ')}; ` : '';
  return `    '${path}')
      if [[ $cur == -* ]]; then choices=(${flags.join(' ')}); _describe option choices
      else ${fixed}choices=(${shown.join(' ')}); _describe command choices${files}; fi ;;`;
}
