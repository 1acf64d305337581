# shellcheck shell=bash
# etc/bench stages. Callgrind counts a run and one of twice as many packets; the difference is what packets take, without the
# program's start. The same of the loop without a stage is taken off.

readonly stage_rounds=100 stage_packets_a_round=128

instructions() { # instructions PROGRAM ARGS…: how many it has executed
    local log=$work/callgrind.log
    SWIFT_DETERMINISTIC_HASHING=1 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" >"$log" 2>&1 ||
        { cat "$log" >&2; fail "$* did not run under valgrind"; }
    sed -nE 's/^==[0-9]+== Collected : ([0-9]+).*/\1/p' "$log"
}

instructions_per_packet() { # instructions_per_packet STAGE OPTIONS
    local once twice
    once=$(instructions "$stage_cost" "$1" "$2" "$stage_rounds")
    twice=$(instructions "$stage_cost" "$1" "$2" $((2 * stage_rounds)))
    echo $(((twice - once) / (stage_rounds * stage_packets_a_round)))
}

bench_stages() { # bench_stages [NAME]…
    local name options most loop taken failed=0 line known=()
    prerequisites build memcheck
    # shellcheck source=../lib/script.sh
    . "$(dirname "$0")/lib/script.sh"
    interruptible swift build --package-path "$repo" -c release --product stage-cost || fail "the build failed"
    # Valgrind gives up over debug information as new as the compiler's.
    stage_cost=$work/stage-cost
    strip --strip-debug -o "$stage_cost" "$repo/.build/release/stage-cost"
    loop=$(instructions_per_packet none "{}")
    printf '%-16s %12s %8s\n' "" "instructions" "most"
    while read -r line; do
        [[ $line && $line != \#* ]] || continue
        name=${line%% *} most=${line##* } options=${line#* }
        options=${options% *}
        known+=("$name")
        (($# == 0)) || [[ " $* " == *" $name "* ]] || continue
        taken=$(instructions_per_packet "$name" "$options")
        taken=$((taken - loop))
        printf '%-16s %12d %8d%s\n' "$name" "$taken" "$most" "$( ((taken <= most)) || echo '   too many')"
        ((taken <= most)) || failed=1
    done <"$repo/etc/bench.d/stages"
    for name in $("$stage_cost" list); do
        [[ " ${known[*]} " == *" $name "* ]] || { echo "$name is not in etc/bench.d/stages"; failed=1; }
    done
    return "$failed"
}
