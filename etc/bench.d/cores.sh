# shellcheck shell=bash disable=SC2154 # what script.sh and report.sh set
# etc/bench cores [--rounds N] [--json [FILE]] [--plot FILE]
#
# What several workers carry beside what one carries: one fat peer, whose packets two workers seal and open; and two peers with a
# worker each. Between ends in memory, with threads and sockets' readiness as a router's, in packets of 1420 bytes. The clock
# counts here, so that the machine has to be quiet: rounds (7) take turns, and medians are printed beside their bars. Where
# something else wants the cores, a fat peer is left to its owner, and the ratio is 1.

# shellcheck source=report.sh
. "$(dirname "${BASH_SOURCE[0]}")/report.sh"

readonly cores_mib=200
# direction workers peers
readonly cores_settings=("seal 1 1" "seal 2 1" "seal 2 2" "open 1 1" "open 2 1" "open 2 2")

bench_cores() {
    local rounds=7 sets=(build demo) round setting direction workers peers path_cost
    while (($#)); do
        if [[ $1 == --rounds ]]; then
            [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 64; }
            rounds=$2 taken=2
        else
            report_option "$@"
        fi
        ((taken)) || { usage >&2; exit 64; }
        shift "$taken"
    done
    [[ ! $report_plot ]] || sets+=(script)
    prerequisites "${sets[@]}"
    # shellcheck source=../lib/script.sh
    . "$(dirname "$0")/lib/script.sh"
    interruptible swift build --package-path "$repo" -c release --product path-cost || fail "the build failed"
    path_cost=$repo/.build/release/path-cost
    machine >"$work/machine.json"
    for ((round = 1; round <= rounds; round++)); do
        for setting in "${cores_settings[@]}"; do
            read -r direction workers peers <<<"$setting"
            printf '{"direction": "%s", "workers": %d, "peers": %d, "gbit-per-second": %s}\n' \
                "$direction" "$workers" "$peers" \
                "$("$path_cost" cores "$direction" "$workers" "$peers" "$cores_mib")" >>"$work/rounds"
        done
    done
    jq -n --slurpfile machine "$work/machine.json" --slurpfile rounds "$work/rounds" \
        --arg date "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" --argjson count "$rounds" --argjson mib "$cores_mib" '
        def median: sort | if length % 2 == 1 then .[(length - 1) / 2] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
        def of($direction; $workers; $peers): [$rounds[]
            | select(.direction == $direction and .workers == $workers and .peers == $peers) | ."gbit-per-second"];
        [("seal", "open") as $direction
            | (of($direction; 1; 1) | median) as $alone
            | ({workers: 1, peers: 1, bar: null}, {workers: 2, peers: 1, bar: 1.5}, {workers: 2, peers: 2, bar: 1.7})
            | of($direction; .workers; .peers) as $all
            | . + {direction: $direction, "gbit-per-second": ($all | median), least: ($all | min), most: ($all | max),
                ratio: (($all | median) / $alone)}] as $results
        | {
            version: 1, benchmark: "cores", date: $date, machine: $machine[0],
            parameters: {rounds: $count, mib: $mib, packet: 1420, aead: "libsodium"}, results: $results, rounds: $rounds,
            charts: [{
                title: "Two workers beside one, between ends in memory", unit: "Gbit/s", better: "more", kind: "bars",
                groups: ["seal", "open"],
                series: [({name: "one worker", workers: 1, peers: 1}, {name: "two, one peer", workers: 2, peers: 1},
                    {name: "two, a peer each", workers: 2, peers: 2}) as $series
                    | {name: $series.name, values: [("seal", "open") as $direction
                        | $results[] | select(.direction == $direction and .workers == $series.workers and .peers == $series.peers)
                        | [."gbit-per-second", .least, .most]]}],
                bars: []
            }]
        }' >"$work/report.json"
    jq -r 'def two: . * 100 | round / 100;
        "\(.machine.cpu), \(.machine.cores) cores, load \(.machine."load-before") before, \(.date)",
        "Medians of \(.parameters.rounds) rounds; the ratio is to one worker with one peer\n",
        (.results[] | "\(.direction)  \(.workers) workers  \(.peers) peers  \(."gbit-per-second" | two) Gbit/s  \(.ratio | two)"
            + (if .bar then "  bar \(.bar) \(if .ratio >= .bar then "ok" else "short" end)" else "" end))' "$work/report.json"
    publish "$work/report.json"
}
