# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
#
# Completion of `lifesign` for bash, fed from its --help: source this file, or
# put it into /usr/share/bash-completion/completions as `lifesign`.
_lifesign() {
  local command=() word words
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word =~ ^(get|who|await|sessions|explain|watch|room|beat|set|simulate)$ ]] && command=("$word")
  done
  # Flags of the command and of all commands; the commands until there is one.
  words=$("${COMP_WORDS[0]}" "${command[@]}" --help; "${COMP_WORDS[0]}" --help)
  ((${#command[@]})) && words=$(grep -oE -- '--[a-z-]+' <<<"$words") ||
    words=$(grep -oE -- '^  [a-z]+ {3,}|--[a-z-]+' <<<"$words")
  mapfile -t COMPREPLY < <(
    compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}" | sort -u
  )
}
complete -F _lifesign lifesign
