# shellcheck shell=bash disable=SC2154 # what script.sh sets
# etc/bench protocol [--json [FILE]]
#
# What a packet takes from plaintext to message and back, through the `wireguard` stages of two routers in memory, beside the
# cipher alone, for every AEAD that this machine has; and what a handshake takes of one side, beside its Curve25519 operations
# alone. Nanoseconds are CPU time of the one thread, medians of runs that take turns, beside the bars that are set for them.
#
# Instructions are what both stages take for a packet together, without cipher and without what the batches are filled and
# emptied by; and what one side takes for a handshake, without the Curve25519 operations. Exit status 1 when they are more than this
# file allows. --json prints JSON instead of the tables, or writes it to FILE beside them.

# shellcheck source=callgrind.sh
. "$(dirname "${BASH_SOURCE[0]}")/callgrind.sh"

readonly protocol_sizes=(64 512 1420)
readonly protocol_runs=5 protocol_rounds=4000 counted_rounds=100 protocol_batch=64
readonly handshake_runs=9 handshake_rounds=300 counted_handshakes=50
# Nanoseconds a packet, seal and open: what the protocol itself may take; and 0.65 of what boringtun takes with its cipher
# (1023 and 960 ns at 1420 bytes, 215 and 265 ns at 64, on a CPU with AVX-512 IFMA).
readonly -A protocol_bar=([null-64]="40 40" [null-512]="40 40" [null-1420]="40 40" [ipsec-mb-64]="140 172" [ipsec-mb-1420]="665 624")
readonly handshake_bar=90 # percent of a side's time that are Curve25519
# Instructions a packet, both directions, that the protocol may take with a cipher that only copies: `protocol` fails above.
readonly -A protocol_most=([64]=930 [512]=1060 [1420]=1260)
readonly handshake_most=315000 # instructions of one side's handshake besides Curve25519

median() { sort -n | awk '{value[NR] = $1} END {print value[int((NR + 1) / 2)]}'; }

per_round() { # per_round ROUNDS ARGS…: instructions of path-cost ARGS… for each of that many rounds
    local rounds=$1 once twice
    shift
    once=$(instructions "$path_cost" "$@" "$rounds")
    twice=$(instructions "$path_cost" "$@" "$((2 * rounds))")
    echo $(((twice - once) / rounds))
}

time_packets() { # into $work/MODE-CIPHER-BYTES-DIRECTION
    local run bytes cipher mode direction taken
    for ((run = 0; run < protocol_runs; run++)); do
        for bytes in "${protocol_sizes[@]}"; do
            for cipher in "${ciphers[@]}"; do
                for mode in protocol cipher; do
                    "$path_cost" "$mode" "$cipher" "$bytes" "$protocol_rounds" | while read -r direction taken; do
                        echo "$taken" >>"$work/$mode-$cipher-$bytes-$direction"
                    done
                done
            done
        done
    done
}

time_handshakes() { # into $work/MODE
    local run mode
    for ((run = 0; run < handshake_runs; run++)); do
        for mode in handshakes computations x25519; do
            "$path_cost" "$mode" "$handshake_rounds" | awk '{print $2}' >>"$work/$mode"
        done
    done
}

packets_report() { # a line of JSON for each size and cipher; false when the protocol takes more instructions than it may
    local bytes cipher bars taken passed=0 most
    for bytes in "${protocol_sizes[@]}"; do
        for cipher in "${ciphers[@]}"; do
            read -r -a bars <<<"${protocol_bar[$cipher-$bytes]:-null null}"
            taken=null most=null
            if [[ $cipher == null ]]; then
                most=${protocol_most[$bytes]}
                taken=$((($(per_round "$counted_rounds" protocol null "$bytes") - $(per_round "$counted_rounds" batches null "$bytes")) / protocol_batch))
                ((taken <= most)) || passed=1
            fi
            printf '{"bytes": %d, "aead": "%s", "seal-ns": %d, "seal-cipher-ns": %d, "seal-bar-ns": %s, "open-ns": %d, "open-cipher-ns": %d, "open-bar-ns": %s, "instructions": %s, "most-instructions": %s}\n' \
                "$bytes" "$cipher" \
                "$(median <"$work/protocol-$cipher-$bytes-seal")" "$(median <"$work/cipher-$cipher-$bytes-seal")" "${bars[0]}" \
                "$(median <"$work/protocol-$cipher-$bytes-open")" "$(median <"$work/cipher-$cipher-$bytes-open")" "${bars[1]}" \
                "$taken" "$most"
        done
    done
    return "$passed"
}

handshakes_report() { # one line of JSON; false when a handshake takes more instructions than it may
    local taken
    taken=$((($(per_round "$counted_handshakes" handshakes) - $(per_round "$counted_handshakes" rests) - $(per_round "$counted_handshakes" x25519)) / 2))
    printf '{"whole-ns": %d, "computation-ns": %d, "x25519-ns": %d, "bar-percent": %d, "instructions": %d, "most-instructions": %d}\n' \
        "$(median <"$work/handshakes")" "$(median <"$work/computations")" "$(median <"$work/x25519")" "$handshake_bar" \
        "$taken" "$handshake_most"
    ((taken <= handshake_most))
}

report() { # everything as one JSON document
    jq -n --slurpfile packets "$work/packets.json" --slurpfile handshakes "$work/handshakes.json" \
        --arg date "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" --arg kernel "$(uname -sr)" --argjson cores "$(nproc)" \
        --arg cpu "$(sed -nE 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n1)" --arg load "$load" \
        --argjson ifma "$(grep -qw avx512ifma /proc/cpuinfo && echo true || echo false)" '
        {
            version: 1, benchmark: "protocol", date: $date,
            machine: {cpu: $cpu, cores: $cores, kernel: $kernel, "avx512-ifma": $ifma, "load-before": ($load | tonumber)},
            packets: $packets,
            handshake: ($handshakes[0] | . + {
                "per-second": (1e9 / ."whole-ns" | round), "x25519-per-second": (1e9 / ."x25519-ns" | round),
                "x25519-percent": (100 * ."x25519-ns" / ."whole-ns" | round),
                "x25519-percent-of-computation": (100 * ."x25519-ns" / ."computation-ns" | round) })
        }'
}

tables() { # tables < JSON
    jq -r 'def or_dash: . // "-" | tostring;
        (.machine | "\n\(.cpu), \(.cores) cores, \(.kernel), AVX-512 IFMA: \(if ."avx512-ifma" then "yes" else "no, and the bars of ipsec-mb are for CPUs with it" end)"),
        (.packets[] | [.bytes, .aead, ."seal-ns", ."seal-cipher-ns", (."seal-bar-ns" | or_dash),
            ."open-ns", ."open-cipher-ns", (."open-bar-ns" | or_dash), (.instructions | or_dash), (."most-instructions" | or_dash)] | @tsv),
        (.handshake | "\nOne side of a handshake: \(."whole-ns") ns, \(."per-second") a second on a core; its computations \(."computation-ns") ns",
            "Curve25519 alone: \(."x25519-ns") ns, \(."x25519-per-second") a second: \(."x25519-percent") % of the whole (bar: \(."bar-percent")), \(."x25519-percent-of-computation") % of the computations",
            "besides Curve25519 \(.instructions) instructions, at most \(."most-instructions")\(if .instructions > ."most-instructions" then ": too many" else "" end)")' |
        awk -F '\t' '!/\t/ {print; next}
            !head++ {printf "\n%6s  %-10s  %8s %8s %5s  %8s %8s %5s  %12s %6s\n", "bytes", "AEAD", "seal: ns", "cipher", "bar", "open: ns", "cipher", "bar", "instructions", "most"}
            {printf "%6d  %-10s  %8d %8d %5s  %8d %8d %5s  %12s %6s%s\n", $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, ($9 != "-" && $9 + 0 > $10 + 0 ? "   too many" : "")}'
}

bench_protocol() { # bench_protocol [--json [FILE]]
    local json="" failed=0 ciphers path_cost load
    while (($#)); do
        case $1 in
            --json)
                json=-
                [[ ! ${2:-} || $2 == --* ]] || { json=$2; shift; }
                ;;
            *) echo "$0: protocol [--json [FILE]]" >&2; exit 64 ;;
        esac
        shift
    done
    prerequisites build demo memcheck
    optional_packages aead || echo "Without ipsec-mb: $missing" >&2
    # shellcheck source=../lib/script.sh
    . "$(dirname "$0")/lib/script.sh"
    [[ $json != - ]] || exec 3>&1 1>&2 # what the build says aside, so that stdout is JSON and nothing else
    interruptible swift build --package-path "$repo" -c release --product path-cost || fail "the build failed"
    path_cost=$(stripped "$repo/.build/release" path-cost)
    mapfile -t ciphers < <("$path_cost" aeads)
    load=$(cut -d' ' -f1 /proc/loadavg)
    time_packets
    time_handshakes
    packets_report >"$work/packets.json" || failed=1
    handshakes_report >"$work/handshakes.json" || failed=1
    report >"$work/report.json"
    tables <"$work/report.json"
    case $json in
        "") ;;
        -) cat "$work/report.json" >&3 ;;
        *) cp "$work/report.json" "$json" ;;
    esac
    return "$failed"
}
