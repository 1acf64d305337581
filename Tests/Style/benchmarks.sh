#!/usr/bin/env bash
# benchmarks.sh: a benchmark fails when what it measures does not run, or when nothing was counted, and names what it does not
# know. What it calls to build and to count stands in for the real thing here.
set -euo pipefail
# shellcheck source=../../etc/lib/script.sh
. "$(dirname "$0")/../../etc/lib/script.sh"
# shellcheck source=../../etc/lib/prerequisites.sh
. "$(dirname "$0")/../../etc/lib/prerequisites.sh"

optional_packages memcheck || skip "no benchmark can count: $missing"

readonly stand_ins=$work/bin
mkdir "$stand_ins"
stand_in() { # stand_in NAME < BODY
    { echo '#!/bin/sh' && cat; } >"$stand_ins/$1"
    chmod +x "$stand_ins/$1"
}
stand_in swift <<<'echo "Swift version 6.3"'
stand_in callgrind_annotate <<<'exit 0'
# What it leaves behind is the program that is measured: it names its plugins, as path-cost does.
stand_in strip <<'END'
case $4 in *without*) plugins=none ;; *) plugins=dscp ;; esac
printf '#!/bin/sh\necho "plugins: %s"\n' "$plugins" >"$3"
chmod +x "$3"
END

ends() { # ends STATUS TEXT BENCHMARK…: this is how it ends, and what it says
    local status=0 expected=$1 text=$2
    shift 2
    PATH=$stand_ins:$PATH "$repo/etc/bench" "$@" >"$work/said" 2>&1 || status=$?
    [[ $status == "$expected" ]] || fail "etc/bench $*: status $status, expected $expected: $(cat "$work/said")"
    grep -qF -- "$text" "$work/said" || fail "etc/bench $*: no '$text' in: $(cat "$work/said")"
}

ends 64 "no stage tpyo" stages tpyo
ends 64 "off takes no options" off --json
ends 64 "etc/bench protocol" protocol tpyo
step "what is not known is named"

stand_in valgrind <<<'echo "Segmentation fault"; exit 139'
ends 1 "did not run under valgrind" stages
ends 1 "did not run under valgrind" off
step "a program that crashes fails its benchmark"

stand_in valgrind <<<'exit 0'
ends 1 "callgrind has counted nothing" stages
ends 1 "callgrind_annotate names no function" off
step "nothing is not a count"
