/**
 * `sluice completion SHELL`: scripts that ask `sluice complete` for candidates. It gets words as
 * they were typed, with their quotes, and answers one candidate a line, without.
 */

const SCRIPTS = {
  // Readline breaks words at a colon and at =, and has only what stands behind the last one
  // replaced: words are put together again, and what stands before it is cut off candidates.
  bash: `_sluice() {
  local line=$COMP_LINE words=() found=() word at breaks cut=
  for ((at = 0; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if ((at > 0)) && [[ $line != [[:space:]]* ]]; then
      words[-1]+=$word
    else
      line=\${line#"\${line%%[![:space:]]*}"}
      words+=("$word")
    fi
    line=\${line#"$word"}
  done
  mapfile -t found < <(sluice complete -- "\${words[@]:1}" 2>/dev/null)
  word=\${words[-1]}
  COMPREPLY=("\${found[@]}")
  [[ $word == [\\'\\"]* ]] && return
  breaks=\${COMP_WORDBREAKS//[!=:]}
  [[ -n $breaks ]] && cut=\${word%"\${word##*[$breaks]}"}
  cut=\${cut//\\\\}
  for at in "\${!found[@]}"; do
    printf -v "COMPREPLY[at]" %q "\${found[at]#"$cut"}"
  done
}
complete -o default -F _sluice sluice
`,
  // From a folder of fpath it is read at the first use, as the body of the function that is called.
  zsh: `#compdef sluice
_sluice() {
  local -a found
  found=("\${(@f)$(sluice complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then
    compadd -- $found
  else
    compset -P '--*='
    _files
  fi
}
if [[ "$funcstack[1]" == _sluice ]]; then
  _sluice "$@"
else
  compdef _sluice sluice
fi
`,
  fish: `function __sluice_complete
  set -l token (commandline -ct)
  set -l found (sluice complete -- (commandline -opc)[2..] "$token" 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
    return
  end
  set -l option (string match -r -- '^--[^=]*=' "$token")
  for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$token"))
    printf '%s\\n' "$option$path"
  end
end
complete -c sluice -f -a '(__sluice_complete)'
`,
} as const;

export const SHELLS = ['bash', 'zsh', 'fish'] as const satisfies readonly (keyof typeof SCRIPTS)[];

export const COMPLETION_NOTES = `bash: source <(sluice completion bash)
zsh:  source <(sluice completion zsh), behind compinit
fish: sluice completion fish | source`;

/** Prints the script for a shell; the exit code, 2 where there is none for it. */
export function completion(shell: string): 0 | 2 {
  const known = SHELLS.find((name) => name === shell);
  if (known === undefined) {
    process.stderr.write(`sluice: no completion for ${shell}; there is bash, zsh and fish\n`);
    return 2;
  }
  process.stdout.write(SCRIPTS[known]);
  return 0;
}
