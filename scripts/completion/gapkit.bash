# Completion of the programs for bash: source scripts/completion/gapkit.bash
# Option names come from the --help of each program, so they are up to date.

_gapkit_complete() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  case "$previous" in
    --std) mapfile -t COMPREPLY < <(compgen -W "energy local energy,local" -- "$word"); return ;;
    --seed | --species | --threads | --memory | --prefix | --checkpoint-interval) return ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$("$program" --help 2>/dev/null | grep -oE '^ *(-[a-z],)?--[a-z-]+' | grep -oE -- '--[a-z-]+')" -- "$word")
    return
  fi
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen -f -- "$word")
}

complete -F _gapkit_complete gap-fit gap-predict gap-active gap-convert gap-info
