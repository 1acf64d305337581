# shellcheck shell=bash disable=SC2154 # what script.sh sets
# etc/bench tunnel [--rounds N] [--seconds S] [--peer NAME=PROGRAM]… [--only NAME]… [--json [FILE]]
#
# One TCP stream (iperf3, cubic) between two routers of the same kind, and the CPU time both daemons take for it:
#
#   left ── wire ───────────────── wire ── right        a pair of namespaces for each implementation
#    wg0 10.9.0.1/24 ············ wg0 10.9.0.2/24       MTU 1420 in 1500
#
# Fullbore and Debian's wireguard-go are measured in turn, round by round, so that what else the machine does hits both.
# --peer adds an implementation with wireguard-go's usage (PROGRAM -f wg0, and UAPI), --only leaves the others out. Printed are
# medians. The time is utime + stime of the daemon, in units of 10 ms: judge by CPU-ms per Gbit, which stays put on a busy
# machine, and by Gbit/s only on a quiet one. --json prints JSON instead of the table, or writes it to FILE beside the table.

# shellcheck source=../lib/tunnel.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tunnel.sh"

rounds=3
seconds=5
json=""
names=(fullbore wireguard-go)
declare -A program=([fullbore]=fullbore [wireguard-go]=wireguard-go)
ticks_per_second=$(getconf CLK_TCK)
readonly ticks_per_second
readonly results=$work/rounds.jsonl

cpu_ms() { # cpu_ms PID: utime + stime so far, all threads. The name in field 2 may hold blanks, so count from its end.
    sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$ticks_per_second" '{printf "%d\n", ($12 + $13) * 1000 / hz}'
}

start_pair() { # start_pair NAME: the routers NAME-left and NAME-right
    local left=$1-left right=$1-right
    node "$left" "$right"
    wire "$left" wire "$right" wire
    address "$left" wire 10.0.0.1/24
    address "$right" wire 10.0.0.2/24
    interface "$left" "${program[$1]}" addresses=10.9.0.1/24
    interface "$right" "${program[$1]}" addresses=10.9.0.2/24
    peer "$left" "$right" endpoint="10.0.0.2:$default_port" allowed=10.9.0.2/32
    peer "$right" "$left" endpoint="10.0.0.1:$default_port" allowed=10.9.0.1/32
    up "$left"
    up "$right"
    pings "$left" 10.9.0.2
    iperf "$left" "$right" 10.9.0.2 -C cubic -t 1 # warm up
}

measure() { # measure NAME ROUND: a line of JSON into $results
    local left=${daemon[$1-left]} right=${daemon[$1-right]} sender receiver
    sender=$(cpu_ms "$left") receiver=$(cpu_ms "$right")
    iperf "$1-left" "$1-right" 10.9.0.2 -C cubic -t "$seconds"
    sender=$(($(cpu_ms "$left") - sender)) receiver=$(($(cpu_ms "$right") - receiver))
    jq -c --arg name "$1" --argjson round "$2" --argjson sender "$sender" --argjson receiver "$receiver" '
        (.end.sum_received.bytes * 8 / 1e9) as $gbit | {
            implementation: $name, round: $round, gbit: $gbit, "gbit-per-second": (.end.sum_received.bits_per_second / 1e9),
            "sender-cpu-ms": $sender, "receiver-cpu-ms": $receiver,
            "sender-cpu-ms-per-gbit": ($sender / $gbit), "receiver-cpu-ms-per-gbit": ($receiver / $gbit),
            retransmits: .end.sum_sent.retransmits
        }' "$iperf_json" >>"$results"
    jq -r '"  round \(.round)  \(.implementation): \(."gbit-per-second" * 100 | round / 100) Gbit/s"' < <(tail -n1 "$results")
}

version_of() { # version_of NAME
    local path=${program[$1]}
    [[ $1 != fullbore ]] || path=$fullbore
    "$path" --version 2>/dev/null | head -n1 || echo unknown
}

report() { # everything as one JSON document
    local versions="{}"
    for name in "${names[@]}"; do
        versions=$(jq --arg name "$name" --arg version "$(version_of "$name")" '.[$name] = $version' <<<"$versions")
    done
    jq -s --argjson versions "$versions" \
        --arg date "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" --arg kernel "$(uname -sr)" --argjson cores "$(nproc)" \
        --arg cpu "$(sed -nE 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n1)" \
        --arg iperf "$(iperf3 --version | head -n1)" --arg load "$load" \
        --argjson seconds "$seconds" --argjson rounds "$rounds" '
        def median: sort | if length == 0 then null elif length % 2 == 1 then .[(length - 1) / 2]
            else (.[length / 2 - 1] + .[length / 2]) / 2 end;
        . as $all
        | [$versions | keys_unsorted[] as $name | [$all[] | select(.implementation == $name)] | {
            implementation: $name,
            "gbit-per-second": map(."gbit-per-second") | median,
            "sender-cpu-ms-per-gbit": map(."sender-cpu-ms-per-gbit") | median,
            "receiver-cpu-ms-per-gbit": map(."receiver-cpu-ms-per-gbit") | median }] as $medians
        | ($medians[] | select(.implementation == "wireguard-go")) // null | . as $go
        | {
            version: 1, benchmark: "tunnel", date: $date,
            machine: {cpu: $cpu, cores: $cores, kernel: $kernel, "load-before": ($load | tonumber)},
            versions: ($versions + {iperf3: $iperf}),
            parameters: {rounds: $rounds, seconds: $seconds, streams: 1, "congestion-control": "cubic", mtu: 1420},
            medians: [$medians[] | . + (if $go == null then {} else {
                "rate-to-wireguard-go": (."gbit-per-second" / $go."gbit-per-second"),
                "cpu-to-wireguard-go": ((."sender-cpu-ms-per-gbit" + ."receiver-cpu-ms-per-gbit")
                    / ($go."sender-cpu-ms-per-gbit" + $go."receiver-cpu-ms-per-gbit")) } end)],
            rounds: $all
        }' "$results"
}

table() { # table < JSON
    jq -r 'def two: . * 100 | round / 100 | tostring | if test("\\.") then (. + "00")[:(index(".") + 3)] else . + ".00" end;
        "\n\(.machine.cpu), \(.machine.cores) cores, \(.machine.kernel), \(.date)",
        (.versions | to_entries[] | "  \(.key): \(.value)"),
        "One TCP stream, medians of \(.parameters.rounds) rounds of \(.parameters.seconds) s\n",
        ([.medians[] | [.implementation, (."gbit-per-second" | two), (."sender-cpu-ms-per-gbit" | round),
            (."receiver-cpu-ms-per-gbit" | round), (."rate-to-wireguard-go" // empty | two), (."cpu-to-wireguard-go" // empty | two)]]
            | .[] | @tsv)' |
        awk -F '\t' '!/\t/ {print; next}
            !head++ {printf "%-16s %9s   %s   %s\n", "", "", "CPU-ms per Gbit", "to wireguard-go"
                printf "%-16s %9s %8s %8s %8s %8s\n", "", "Gbit/s", "sender", "receiver", "rate", "CPU"}
            {printf "%-16s %9s %8s %8s %8s %8s\n", $1, $2, $3, $4, $5, $6}'
}

bench_tunnel() {
    local only=() with_fullbore="" round load name
    while (($#)); do
        case $1 in
            --rounds) rounds=${2:?--rounds N}; shift ;;
            --seconds) seconds=${2:?--seconds S}; shift ;;
            --peer)
                [[ ${2:-} == ?*=?* ]] || { echo "$0: --peer NAME=PROGRAM" >&2; exit 64; }
                names+=("${2%%=*}")
                program[${2%%=*}]=${2#*=}
                shift
                ;;
            --only) only+=("${2:?--only NAME}"); shift ;;
            --json)
                json=-
                [[ ! ${2:-} || $2 == --* ]] || { json=$2; shift; }
                ;;
            *) usage >&2; exit 64 ;;
        esac
        shift
    done
    [[ $rounds =~ ^[1-9][0-9]*$ && $seconds =~ ^[1-9][0-9]*$ ]] || { echo "$0: --rounds and --seconds are numbers from 1" >&2; exit 64; }
    ((${#only[@]} == 0)) || names=("${only[@]}")
    for name in "${names[@]}"; do
        [[ ${program[$name]:-} ]] || { echo "$0: what is $name? (--peer $name=PROGRAM)" >&2; exit 64; }
    done

    [[ " ${names[*]} " != *" fullbore "* ]] || with_fullbore=1
    if [[ $with_fullbore && ! ${FULLBORE:-} ]]; then prerequisites build test; else prerequisites test; fi
    [[ $json != - ]] || exec 3>&1 1>&2 # progress and table aside, so that stdout is JSON and nothing else

    if [[ $with_fullbore && ! ${FULLBORE:-} ]]; then
        interruptible swift build --package-path "$repo" -c release --product fullbore || fail "the build failed"
    fi
    load=$(cut -d' ' -f1 /proc/loadavg)
    for name in "${names[@]}"; do start_pair "$name"; done
    for ((round = 1; round <= rounds; round++)); do
        for name in "${names[@]}"; do measure "$name" "$round"; done
    done
    report >"$work/report.json"
    table <"$work/report.json"
    case $json in
        "") ;;
        -) cat "$work/report.json" >&3 ;;
        *) cp "$work/report.json" "$json" ;;
    esac
}
