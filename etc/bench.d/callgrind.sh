# shellcheck shell=bash disable=SC2154 # what script.sh sets
# What the benchmarks that count instructions share. Callgrind counts a run and one of twice as many rounds; the difference
# is what the rounds take, without the program's start.

count_with_callgrind() { # count_with_callgrind COUNTS PROGRAM ARGS…: into a file; the sum is in callgrind.log
    local counts=$1
    shift
    SWIFT_DETERMINISTIC_HASHING=1 valgrind --tool=callgrind --callgrind-out-file="$counts" "$@" >"$work/callgrind.log" 2>&1 ||
        { cat "$work/callgrind.log" >&2; fail "$* did not run under valgrind"; }
}

instructions() { # instructions PROGRAM ARGS…: how many it has executed
    local counted
    count_with_callgrind /dev/null "$@"
    counted=$(sed -nE 's/^==[0-9]+== Collected : ([0-9]+).*/\1/p' "$work/callgrind.log")
    [[ $counted ]] || fail "callgrind has counted nothing of $*: $(cat "$work/callgrind.log")"
    echo "$counted"
}

# Valgrind gives up over debug information as new as the compiler's.
stripped() { # stripped FOLDER PROGRAM: its path without
    strip --strip-debug -o "$work/$2" "$1/$2"
    echo "$work/$2"
}
