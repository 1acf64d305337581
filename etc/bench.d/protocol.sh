# shellcheck shell=bash disable=SC2154 # what script.sh and report.sh set
# etc/bench protocol [--json [FILE]] [--plot FILE]
#
# What a packet takes from plaintext to message and back, through the `wireguard` stages of two routers in memory, beside the
# cipher alone, for every AEAD that this machine has; and what a handshake takes of one side, beside its Curve25519 operations
# alone. Nanoseconds are CPU time of the one thread, medians of runs that take turns, beside the bars that are set for them.
#
# Instructions are what both stages take for a packet together, without cipher and without what the batches are filled and
# emptied by; and what one side takes for a handshake, without the Curve25519 operations. Exit status 1 when they are more than this
# file allows. --json prints JSON instead of the tables, or writes it to FILE beside them; --plot draws SVG.

# shellcheck source=callgrind.sh
. "$(dirname "${BASH_SOURCE[0]}")/callgrind.sh"
# shellcheck source=report.sh
. "$(dirname "${BASH_SOURCE[0]}")/report.sh"

readonly protocol_sizes=(64 512 1420)
readonly protocol_runs=5 protocol_rounds=4000 counted_rounds=100 protocol_batch=64
readonly handshake_runs=15 handshake_rounds=200 counted_handshakes=50
# Instructions a packet, both directions, that the protocol may take with a cipher that only copies: `protocol` fails above.
readonly -A protocol_most=([64]=1110 [512]=1240 [1420]=1440)
readonly handshake_most=330000 # instructions of one side's handshake besides Curve25519

per_round() { # per_round ROUNDS ARGS…: instructions of path-cost ARGS… for each of that many rounds
    local rounds=$1 once twice
    shift
    once=$(instructions "$path_cost" "$@" "$rounds")
    twice=$(instructions "$path_cost" "$@" "$((2 * rounds))")
    echo $(((twice - once) / rounds))
}

time_packets() { # a line of JSON for each measurement
    local run bytes cipher mode direction ns
    for ((run = 1; run <= protocol_runs; run++)); do
        for bytes in "${protocol_sizes[@]}"; do
            for cipher in "${ciphers[@]}"; do
                for mode in protocol cipher; do
                    "$path_cost" "$mode" "$cipher" "$bytes" "$protocol_rounds" | while read -r direction ns; do
                        printf '{"bytes": %d, "aead": "%s", "direction": "%s", "of": "%s", "ns": %d}\n' \
                            "$bytes" "$cipher" "$direction" "$mode" "$ns"
                    done
                done
            done
        done
    done
}

time_handshakes() { # a line of JSON for each run: all three of a run are measured one after the other
    local run whole computation x25519
    for ((run = 1; run <= handshake_runs; run++)); do
        whole=$(side handshakes)
        computation=$(side computations)
        x25519=$(side x25519)
        printf '{"whole": %d, "computation": %d, "x25519": %d}\n' "$whole" "$computation" "$x25519"
    done
}

side() { "$path_cost" "$1" "$handshake_rounds" | awk '{print $2}'; } # side MODE: nanoseconds of one side

count() { # a line of JSON for each thing whose instructions are counted
    local bytes all none x25519
    for bytes in "${protocol_sizes[@]}"; do
        all=$(per_round "$counted_rounds" protocol null "$bytes")
        none=$(per_round "$counted_rounds" batches null "$bytes")
        printf '{"bytes": %d, "instructions": %d, "most": %d}\n' "$bytes" "$(((all - none) / protocol_batch))" "${protocol_most[$bytes]}"
    done
    all=$(per_round "$counted_handshakes" handshakes)
    none=$(per_round "$counted_handshakes" rests)
    x25519=$(per_round "$counted_handshakes" x25519)
    printf '{"bytes": null, "instructions": %d, "most": %d}\n' "$(((all - none - x25519) / 2))" "$handshake_most"
}

bench_protocol() {
    local sets=(build demo memcheck) ciphers path_cost
    while (($#)); do
        report_option "$@"
        ((taken)) || { usage >&2; exit 64; }
        shift "$taken"
    done
    [[ ! $report_plot ]] || sets+=(script)
    prerequisites "${sets[@]}"
    optional_packages aead || echo "Without ipsec-mb: $missing" >&2
    # shellcheck source=../lib/script.sh
    . "$(dirname "$0")/lib/script.sh"
    interruptible swift build --package-path "$repo" -c release --product path-cost || fail "the build failed"
    path_cost=$(stripped "$repo/.build/release" path-cost)
    mapfile -t ciphers < <("$path_cost" aeads)
    machine >"$work/machine.json"
    time_packets >"$work/packets"
    time_handshakes >"$work/handshakes"
    count >"$work/counts"
    jq -n --slurpfile machine "$work/machine.json" --slurpfile packets "$work/packets" --slurpfile handshakes "$work/handshakes" \
        --slurpfile counts "$work/counts" --arg date "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" \
        --argjson runs "$protocol_runs" --argjson handshake_runs "$handshake_runs" \
        -f "$repo/etc/bench.d/protocol/report.jq" >"$work/report.json"
    jq -rf "$repo/etc/bench.d/protocol/table.jq" "$work/report.json"
    publish "$work/report.json"
    jq -e '.counts | all(.instructions <= .most)' "$work/report.json" >/dev/null || return 1
}
