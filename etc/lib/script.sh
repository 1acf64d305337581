# shellcheck shell=bash disable=SC2034,SC2119,SC2120 # what this sets is for the scripts that source it
# script.sh: how every script here begins and ends: a work folder, its messages, one cleanup. Sourced, not run.
#
#   $repo $script $work   the repository, the script's name, a folder that goes away with the script
#   say step fail skip    messages; fail ends the script with 1, skip with $skipped and the reason as its last line
#   interruptible CMD…    runs a long command so that ^C and SIGTERM are heeded at once, not after it, and end it too; its
#                         temporary files are in $work (swift leaves one behind for each file that it compiles)
#   eventually S CMD…     waits until CMD succeeds, S seconds at most
#   at_exit CMD           adds a step to the cleanup; the last one added runs first

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
script=$(basename "$0" .sh)
work=$(mktemp -d "${TMPDIR:-/tmp}/fullbore-$script.XXXXXX")
exit_steps=(end_under_way)
under_way=""
readonly repo script work
readonly skipped=75 # not 77: fullbore itself ends with that when it lacks a permission

# Whatever a script starts inherits this, so a process that outlives it can be told (leftover_processes).
export FULLBORE_SCRIPT=$work

say() { printf '%s\n' "$@"; } # a line each
step() { printf '%7.2f s  %s\n' "$(elapsed)" "$*"; }
fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }
skip() { printf 'skip: %s\n' "$*"; exit "$skipped"; }

started=$EPOCHREALTIME
elapsed() { awk -v a="${1:-$started}" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.2f", b - a}'; }

at_exit() { exit_steps=("$1" "${exit_steps[@]}"); }

interruptible() {
    local status=0
    TMPDIR=$work "$@" &
    under_way=$!
    wait "$under_way" || status=$?
    under_way=""
    return "$status"
}

end_under_way() {
    [[ $under_way ]] || return 0
    { kill -TERM "$under_way" && wait "$under_way"; } 2>/dev/null
    # shellcheck disable=SC2046 # pids
    kill -TERM $(leftover_processes | cut -d' ' -f1) 2>/dev/null # swift build leaves its compilers running
    eventually 5 no_leftovers
    return 0
}
no_leftovers() { [[ ! $(leftover_processes) ]]; }

eventually() {
    local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME/./} < deadline)) || return 1
        sleep 0.02
    done
}

leftover_processes() { # what carries this script's mark and is not this script: "PID COMMAND" a line
    local environment pid
    for environment in /proc/[0-9]*/environ; do
        pid=${environment#/proc/} pid=${pid%/environ}
        [[ $pid != "$$" && $pid != "$BASHPID" ]] || continue
        grep -qsF -- "FULLBORE_SCRIPT=$work" "$environment" || continue
        printf '%s %s\n' "$pid" "$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" || true)"
    done
}

end_script() {
    local status=$? cleanup
    trap - EXIT
    trap '' INT TERM HUP # a second ^C must not leave the cleanup half done
    set +e
    for cleanup in "${exit_steps[@]}"; do $cleanup "$status" || status=1; done
    rm -rf "$work"
    exit "$status"
}
shopt -s inherit_errexit # else bash clears set -e in $(…), and what fails in there is not noticed
set -E
trap 'printf "%s:%s: status %s from: %s\n" "${BASH_SOURCE[0]}" "$LINENO" "$?" "$BASH_COMMAND" >&2' ERR # set -e alone is silent
trap end_script EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
