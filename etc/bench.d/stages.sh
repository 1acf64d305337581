# shellcheck shell=bash
# etc/bench stages [NAME]…
#
# What each stage of Plugins takes for a packet, in instructions that callgrind has counted: the same on any machine, busy or
# not. What the loop takes without a stage is taken off. Exit status 1 when one takes more than etc/bench.d/stages allows, or is
# not in it.

# shellcheck source=callgrind.sh
. "$(dirname "${BASH_SOURCE[0]}")/callgrind.sh"

stage_bounds=$(dirname "${BASH_SOURCE[0]}")/stages
readonly stage_bounds
readonly stage_rounds=100 stage_packets_a_round=128

instructions_per_packet() { # instructions_per_packet STAGE OPTIONS PEER-OPTIONS KIND
    local once twice
    once=$(instructions "$stage_cost" "$@" "$stage_rounds")
    twice=$(instructions "$stage_cost" "$@" $((2 * stage_rounds)))
    echo $(((twice - once) / (stage_rounds * stage_packets_a_round)))
}

bench_stages() { # bench_stages [NAME]…
    local name options peer kind most taken failed=0 known registered
    local -A loop
    mapfile -t known < <(sed -nE 's/^([a-z-]+) *\|.*/\1/p' "$stage_bounds" | uniq)
    for name; do
        [[ " ${known[*]} " == *" $name "* ]] || { echo "$0: no stage $name in etc/bench.d/stages (${known[*]})" >&2; exit 64; }
    done
    prerequisites build memcheck
    # shellcheck source=../lib/script.sh
    . "$(dirname "$0")/lib/script.sh"
    interruptible swift build --package-path "$repo" -c release --product stage-cost || fail "the build failed"
    stage_cost=$(stripped "$repo/.build/release" stage-cost)
    for kind in packet super; do loop[$kind]=$(instructions_per_packet none "{}" - "$kind"); done
    printf '%-12s %-7s %-62s %12s %8s\n' "" "" "" "instructions" "most"
    while IFS='|' read -r name options peer kind most; do
        [[ $name && $name != \#* ]] || continue
        read -r name <<<"$name"
        read -r options <<<"$options"
        read -r peer <<<"$peer"
        read -r kind <<<"$kind"
        (($# == 0)) || [[ " $* " == *" $name "* ]] || continue
        taken=$(instructions_per_packet "$name" "$options" "$peer" "$kind")
        taken=$((taken - loop[$kind]))
        printf '%-12s %-7s %-62s %12d %8d%s\n' "$name" "$kind" "$options $peer" "$taken" "$most" "$( ((taken <= most)) || echo '   too many')"
        ((taken <= most)) || failed=1
    done <"$stage_bounds"
    registered=$("$stage_cost" list)
    for name in $registered; do
        [[ " ${known[*]} " == *" $name "* ]] || { echo "$name is not in etc/bench.d/stages"; failed=1; }
    done
    return "$failed"
}
