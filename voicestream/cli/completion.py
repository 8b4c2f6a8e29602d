"""The scripts by which shells complete ``voicestream``; each asks ``voicestream _complete``."""

from __future__ import annotations

from voicestream.cli.report import print_text
from voicestream.errors import UsageError

_BASH = """\
# completion of voicestream for bash; works from 3.2 on
_voicestream() {
    local line cur="${COMP_WORDS[COMP_CWORD]}"
    [ "$cur" = "=" ] && cur=
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files)
                compopt -o filenames 2>/dev/null
                while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur") ;;
            :quoted) compopt -o filenames 2>/dev/null ;;
            *) COMPREPLY+=("${line%%$'\\t'*}") ;;
        esac
    done < <("$1" _complete --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -F _voicestream voicestream
"""
_ZSH = """\
#compdef voicestream
# completion of voicestream for zsh
_voicestream() {
    local line
    local -a lines offered
    lines=("${(@f)$("${(Q)words[1]}" _complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    [[ $lines[1] == :files ]] && { [[ $PREFIX == --*=* ]] && compset -P '*='; _files; return }
    for line in "${lines[@]}"; do
        [[ -z $line || $line == :quoted ]] && continue
        if [[ $line == *$'\\t'* ]]; then
            offered+=("${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}")
        else
            offered+=("${line//:/\\\\:}")
        fi
    done
    _describe -V voicestream offered
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _voicestream "$@"
else
    compdef _voicestream voicestream
fi
"""
_FISH = """\
# completion of voicestream for fish
function __voicestream_complete
    set -l words (commandline -opc)
    set -l lines ($words[1] _complete $words[2..-1] (commandline -ct) 2>/dev/null)
    if test "$lines[1]" = :files
        __fish_complete_path (string replace -r -- '^--[a-z-]+=' '' (commandline -ct))
    else
        string match -v -- :quoted $lines
    end
end
complete -c voicestream -f -a '(__voicestream_complete)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def show_completion(shell: str) -> int:
    """Print the script for a shell; return the exit code.

    Raises:
        UsageError: there is none for it.
    """
    if shell not in SCRIPTS:
        raise UsageError(f"there is no completion for {shell}", hint="For bash, zsh and fish.")
    return print_text(SCRIPTS[shell])
