# shellcheck shell=bash
# etc/bench protocol
#
# What a packet takes from plaintext to message and back, through the `wireguard` stages of two routers in memory, beside the
# cipher alone. Nanoseconds are CPU time of the one thread, medians of runs that take turns; the instructions are what both
# stages take for a packet together, without cipher and without what the batches are filled and emptied by. Exit status 1
# when they are more than this file allows.

# shellcheck source=callgrind.sh
. "$(dirname "${BASH_SOURCE[0]}")/callgrind.sh"

readonly protocol_sizes=(64 512 1420) protocol_ciphers=(null libsodium)
readonly protocol_runs=5 protocol_rounds=4000 counted_rounds=100 protocol_batch=64
readonly protocol_bar=40 # nanoseconds a packet and direction with a cipher that only copies
# Instructions a packet, both directions, that the protocol may take with such a cipher: `protocol` fails above.
readonly -A protocol_most=([64]=930 [512]=1060 [1420]=1260)

median() { sort -n | awk '{value[NR] = $1} END {print value[int((NR + 1) / 2)]}'; }

counted() { # counted MODE BYTES: instructions a packet
    local once twice
    once=$(instructions "$path_cost" "$1" null "$2" "$counted_rounds")
    twice=$(instructions "$path_cost" "$1" null "$2" "$((2 * counted_rounds))")
    echo $(((twice - once) / (counted_rounds * protocol_batch)))
}

bench_protocol() {
    local run bytes cipher mode direction taken most failed=0
    local -A value
    prerequisites build memcheck
    # shellcheck source=../lib/script.sh
    . "$(dirname "$0")/lib/script.sh"
    interruptible swift build --package-path "$repo" -c release --product path-cost || fail "the build failed"
    path_cost=$(stripped "$repo/.build/release" path-cost)
    for ((run = 0; run < protocol_runs; run++)); do
        for bytes in "${protocol_sizes[@]}"; do
            for cipher in "${protocol_ciphers[@]}"; do
                for mode in protocol cipher; do
                    "$path_cost" "$mode" "$cipher" "$bytes" "$protocol_rounds" | while read -r direction taken; do
                        echo "$taken" >>"$work/$mode-$cipher-$bytes-$direction"
                    done
                done
            done
        done
    done
    printf '%6s  %-10s %28s  %28s  %12s %6s\n' bytes cipher "seal: ns, cipher alone, ratio" "open: ns, cipher alone, ratio" instructions most
    for bytes in "${protocol_sizes[@]}"; do
        for cipher in "${protocol_ciphers[@]}"; do
            printf '%6d  %-10s' "$bytes" "$cipher"
            for direction in seal open; do
                for mode in protocol cipher; do value[$mode]=$(median <"$work/$mode-$cipher-$bytes-$direction"); done
                printf ' %14d %7d %6s ' "${value[protocol]}" "${value[cipher]}" \
                    "$(awk -v a="${value[protocol]}" -v b="${value[cipher]}" 'BEGIN {printf "%.2f", a / (b ? b : 1)}')"
            done
            if [[ $cipher == null ]]; then
                most=${protocol_most[$bytes]}
                taken=$(($(counted protocol "$bytes") - $(counted batches "$bytes")))
                printf ' %12d %6d%s' "$taken" "$most" "$( ((taken <= most)) || echo '   too many')"
                ((taken <= most)) || failed=1
            fi
            echo
        done
    done
    echo "bar: null, $protocol_bar ns a packet and direction"
    return "$failed"
}
