# shellcheck shell=bash disable=SC2154 # what script.sh and report.sh set
# etc/bench scale [--peers N] [--json [FILE]] [--plot FILE]
#
# What many peers take: a router with one file of 100,000 peers, an IPv4 and an IPv6 prefix each, in a namespace of its own, without
# and with a route in the kernel for each prefix; and what a table of 10 to 1,000,000 prefixes takes. Each figure stands beside
# its bar. Wall time is what a user waits, and says little on a busy machine: CPU time stands beside it. Nothing fails here
# but what does not work.
#
# Memory is the growth of RSS over a router with one peer. Idle is the CPU time of 10 s. The reload is of a file in which one
# peer's endpoint is another one. `wg set` is a change of one peer by the UAPI: the mean of 200 on one connection. Of prefixes,
# nanoseconds are CPU time, medians of 7 runs, look-ups by batches of 64 addresses as packets come; instructions are callgrind's.

# shellcheck source=callgrind.sh
. "$(dirname "${BASH_SOURCE[0]}")/callgrind.sh"
# shellcheck source=report.sh
. "$(dirname "${BASH_SOURCE[0]}")/report.sh"

readonly scale_idle=10 scale_sets=200 scale_shows=3
readonly counted_prefixes=10000 counted_changes=40000

peers_file() { # peers_file COUNT ROUTES ENDPOINT: a router's file; the first peer is at ENDPOINT
    head -c "$((32 * $1))" /dev/urandom | base64 -w 42 | awk -v count="$1" -v key="$work/wg0.key" -v routes="$2" -v endpoint="$3" '
        BEGIN {
            printf "fullbore: 1\nname: scale\ninterfaces:\n  wg0:\n    private-key: { file: %s }\n    listen-port: 51820\n", key
            printf "    addresses: [10.255.0.1/24]\n    routes: %s\n    peers:\n", routes
        }
        NR <= count {
            n = NR - 1
            printf "      peer-%d:\n        public-key: \"%sA=\"\n", n, $0 # 42 characters of base64 and these two are 32 bytes
            printf "        endpoint: %s:51820\n", n ? "192.0.2.1" : endpoint
            printf "        allowed-ips: [10.%d.%d.%d/32, \"fd00:%x:%x::/64\"]\n", n / 65536, n / 256 % 256, n % 256, n / 65536, n % 65536
        }'
}

cpu_ms() { # cpu_ms [PATTERN]: CPU time so far of the router's threads whose names match, of all where none is said
    local task
    for task in "/proc/$router/task/"*; do
        # shellcheck disable=SC2053 # a pattern
        [[ $(<"$task/comm") == ${1:-*} ]] || continue
        cut -d' ' -f1 "$task/schedstat"
    done | awk '{sum += $1} END {printf "%.1f", sum / 1e6}'
}

rss_kib() { awk '/^VmRSS/ {print $2}' "/proc/$router/status"; }
difference() { awk -v a="$1" -v b="$2" 'BEGIN {print b - a}'; }

figure() { # figure NAME VALUE UNIT BAR [NOTE]: into $work/figures; BAR is null where there is none
    jq -nc --arg name "$1" --argjson value "$2" --arg unit "$3" --argjson bar "$4" --arg note "${5:-}" \
        '{name: $name, value: ($value * 100 | round / 100), unit: $unit, bar: $bar, note: $note}
            | .ok = if .bar then .value <= .bar else null end' >>"$work/figures"
}

start_router() { # start_router FILE: its pid is in $router, how long it took in $started_in
    local before=$EPOCHREALTIME
    spawn edge "$work/log" "$fullbore" run "$1"
    router=$spawned
    eventually 120 ready_or_ended
    started_in=$(elapsed "$before")
    grep -qw ready "$work/log" || fail "the router did not start: $(tail -n 5 "$work/log")"
}
ready_or_ended() { grep -qw ready "$work/log" || gone "$router"; }

stop_router() {
    kill -TERM "$router"
    ends "$router" 60 || fail "the router does not end"
}

measure_start() { # measure_start ROUTES NAME: and leaves it running
    peers_file "$peers" "$1" 192.0.2.1 >"$work/scale.yaml"
    start_router "$work/scale.yaml"
    figure "$2" "$started_in" s "$([[ $1 == true ]] && echo null || echo 3)" "$(cpu_ms) ms of CPU"
}

measure_idle() {
    local before
    before=$(cpu_ms)
    sleep "$scale_idle"
    figure "idle" "$(awk -v a="$before" -v b="$(cpu_ms)" -v s="$scale_idle" 'BEGIN {print (b - a) / s / 10}')" "% of a core" 1
}

measure_show() {
    local run before cpu
    for ((run = 0; run < scale_shows; run++)); do
        before=$EPOCHREALTIME cpu=$(cpu_ms)
        on edge "$fullbore" show scale --json >"$work/show.json"
        echo "$(elapsed "$before") $(difference "$cpu" "$(cpu_ms)")" >>"$work/shows"
    done
    [[ $(jq '.interfaces[0].peers | length' "$work/show.json") == "$peers" ]] || fail "show does not tell of all peers"
    read -r before cpu < <(sort -n "$work/shows" | sed -n "$(((scale_shows + 1) / 2))p")
    figure "show --json" "$before" s 1 "$cpu ms of CPU in the router"
}

measure_reload() {
    local all workers changed
    sed -i '0,/192.0.2.1:/s//192.0.2.7:/' "$work/scale.yaml"
    all=$(cpu_ms) workers=$(cpu_ms 'worker-*')
    changed=$(on edge "$fullbore" reload scale)
    [[ $changed == "wg0: 1 peer changed" ]] || fail "the reload was to change one peer: $changed"
    workers=$(difference "$workers" "$(cpu_ms 'worker-*')")
    all=$(difference "$all" "$(cpu_ms)")
    figure "reload, one peer changes" "$(awk -v a="$all" -v w="$workers" 'BEGIN {print (a - w) / 1000}')" "s of CPU" 2 "and $workers ms of the workers"
}

measure_set() {
    local key run before
    key=$(sed -n 's/.*public-key: "\(.*\)"/\1/p;T;q' "$work/scale.yaml" | base64 -d | od -An -v -tx1 | tr -d ' \n')
    for ((run = 1; run <= scale_sets; run++)); do
        printf 'set=1\npublic_key=%s\nendpoint=192.0.2.9:%d\n\n' "$key" "$run"
    done >"$work/sets"
    before=$EPOCHREALTIME
    on edge socat -t 60 - "UNIX-CONNECT:/run/wireguard/wg0.sock" <"$work/sets" >"$work/answers"
    [[ $(grep -c '^errno=0$' "$work/answers") == "$scale_sets" ]] || fail "a change was refused"
    figure "wg set of one peer" "$(awk -v s="$(elapsed "$before")" -v n="$scale_sets" 'BEGIN {print s * 1000 / n}')" ms 1
}

measure_prefixes() {
    local none lookup change million
    interruptible "$repo/.build/release/prefix-cost" >"$work/prefixes"
    million=$(tail -n1 "$work/prefixes")
    figure "1,000,000 prefixes: look-up" "$(jq '."lookup-ns"' <<<"$million")" ns 60
    figure "1,000,000 prefixes: insert" "$(jq '."insert-ns"' <<<"$million")" ns 1000
    figure "1,000,000 prefixes: remove" "$(jq '."remove-ns"' <<<"$million")" ns 1000
    figure "1,000,000 prefixes: memory" "$(jq .bytes <<<"$million")" "bytes each" 64
    program=$(stripped "$repo/.build/release" prefix-cost)
    none=$(instructions "$program" none "$counted_prefixes" "$counted_changes")
    lookup=$(instructions "$program" lookup "$counted_prefixes" "$counted_changes")
    change=$(instructions "$program" change "$counted_prefixes" "$counted_changes")
    figure "10,000 prefixes: look-up" $(((lookup - none) / counted_changes)) instructions null
    figure "10,000 prefixes: insert and remove" $(((change - none) / counted_changes)) instructions null
}

scale_report() {
    jq -n --slurpfile figures "$work/figures" --slurpfile prefixes "$work/prefixes" --argjson machine "$scale_machine" \
        --arg date "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" --arg version "$("$fullbore" --version)" --argjson peers "$peers" '
        def series($name; $field): {name: $name, points: [$prefixes[] | [.prefixes, .[$field]]]};
        {
            version: 1, benchmark: "scale", date: $date, machine: $machine, versions: {fullbore: $version},
            parameters: {peers: $peers}, figures: $figures, prefixes: $prefixes,
            charts: [{
                title: "A table of prefixes", unit: "ns of CPU", better: "less", kind: "lines",
                x: {unit: "prefixes", log: true}, y: {log: true},
                series: [series("look-up"; "lookup-ns"), series("insert"; "insert-ns"), series("remove"; "remove-ns")]
            }]
        }'
}

scale_table() { # scale_table < JSON
    jq -r '(.figures[] | [.name, .value, .unit, (.bar // "-"), (if .ok == null then "" elif .ok then "ok" else "short" end), .note] | @tsv)' |
        awk -F '\t' '!head++ {printf "%-38s %10s %-12s %8s\n", "", "", "", "bar"} {printf "%-38s %10s %-12s %8s  %-6s %s\n", $1, $2, $3, $4, $5, $6}'
}

bench_scale() {
    peers=100000
    while (($#)); do
        report_option "$@"
        if ((taken)); then shift "$taken"; continue; fi
        case $1 in
            --peers) peers=${2:?--peers N}; shift 2 ;;
            *) echo "$0: scale [--peers N] [--json [FILE]] [--plot FILE]" >&2; exit 64 ;;
        esac
    done
    [[ $peers =~ ^[1-9][0-9]*$ ]] || { echo "$0: --peers is a number from 1" >&2; exit 64; }
    prerequisites build demo memcheck
    # shellcheck source=../lib/namespaces.sh
    . "$(dirname "$0")/lib/namespaces.sh"
    interruptible swift build --package-path "$repo" -c release --product prefix-cost || fail "the build failed"
    [[ ${FULLBORE:-} ]] || interruptible swift build --package-path "$repo" -c release --product fullbore || fail "the build failed"
    fullbore=${FULLBORE:-$repo/.build/release/fullbore}
    scale_machine=$(machine)
    (umask 077 && head -c 32 /dev/urandom | base64 >"$work/wg0.key")
    node edge
    peers_file 1 false 192.0.2.1 >"$work/one.yaml"
    start_router "$work/one.yaml"
    local alone
    alone=$(rss_kib)
    stop_router

    measure_start false "start"
    figure "memory without a session" "$(awk -v a="$alone" -v b="$(rss_kib)" -v n="$peers" 'BEGIN {print (b - a) / n}')" "KiB a peer" 2
    measure_idle
    measure_show
    measure_reload
    measure_set
    stop_router
    measure_start true "start, a kernel route for each prefix"
    stop_router
    measure_prefixes
    scale_report >"$work/report.json"
    scale_table <"$work/report.json"
    publish "$work/report.json"
}
