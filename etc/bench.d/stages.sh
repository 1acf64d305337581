# shellcheck shell=bash
# etc/bench stages. Of what packets take, the same of the loop without a stage is taken off.
# shellcheck source=callgrind.sh
. "$(dirname "${BASH_SOURCE[0]}")/callgrind.sh"

readonly stage_rounds=100 stage_packets_a_round=128

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
    stage_cost=$(stripped "$repo/.build/release" stage-cost)
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
