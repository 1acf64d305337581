# shellcheck shell=bash
# etc/bench off
#
# What a packet takes in two whole routers, whose files name no stage of Plugins, with Plugins compiled in and without: the same,
# or exit status 1.

# shellcheck source=callgrind.sh
. "$(dirname "${BASH_SOURCE[0]}")/callgrind.sh"

readonly off_rounds=100 off_packets_a_round=32
readonly off_tolerance=100 # hundredths of an instruction a packet: what memory's place makes of hashes and copies

# Without what malloc takes for the network in memory: how long it looks for a piece depends on what was asked for before.
instructions_but_malloc() { # instructions_but_malloc PROGRAM ROUNDS
    local counted
    count_with_callgrind "$work/counts" "$@"
    counted=$(callgrind_annotate --threshold=100 "$work/counts" |
        awk '/^ *[0-9,]+ \(.*:/ && !/malloc\/malloc\.c:/ {gsub(",", "", $1); sum += $1} END {print sum}')
    [[ $counted ]] || fail "callgrind_annotate names no function of $*"
    echo "$counted"
}

instructions_a_packet() { # instructions_a_packet PROGRAM: in hundredths
    local once twice
    once=$(instructions_but_malloc "$1" routers "$off_rounds")
    twice=$(instructions_but_malloc "$1" routers "$((2 * off_rounds))")
    echo $(((twice - once) * 100 / (off_rounds * off_packets_a_round)))
}

bench_off() {
    local name program plugins difference
    local -A folder=([with]=.build [without]=.build/without-plugins) taken=()
    (($# == 0)) || { echo "$0: off takes no options" >&2; exit 64; }
    prerequisites build memcheck
    # shellcheck source=../lib/script.sh
    . "$(dirname "$0")/lib/script.sh"
    cd "$repo" || exit
    interruptible swift build -c release --product path-cost || fail "the build failed"
    FULLBORE_WITHOUT_PLUGINS=1 interruptible swift build -c release --product path-cost --scratch-path "${folder[without]}" ||
        fail "the build without Plugins failed"
    for name in with without; do
        program=$(stripped "${folder[$name]}/release" path-cost)
        plugins=$("$program" routers 1 | sed 's/.*plugins: //')
        [[ $name/$plugins == without/none || $name == with && $plugins != none ]] || fail "the build $name Plugins has these: $plugins"
        taken[$name]=$(instructions_a_packet "$program")
        printf '%-8s Plugins  %9d.%02d instructions a packet, cipher and the network in memory included (%s)\n' \
            "$name" "$((taken[$name] / 100))" "$((taken[$name] % 100))" "$plugins"
    done
    difference=$((taken[with] - taken[without]))
    ((difference <= off_tolerance && difference >= -off_tolerance)) ||
        fail "Plugins that no file names change what a packet takes"
}
