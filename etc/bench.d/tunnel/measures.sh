# shellcheck shell=bash disable=SC2154 # what the files above this one set
# What `etc/bench tunnel` measures of a pair, each as a line of JSON to $results.

# shellcheck source=../../lib/library.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/library.sh"

ticks_per_second=$(getconf CLK_TCK)
readonly ticks_per_second results=$work/rounds.jsonl
readonly datagrams_port=5400
readonly ramp=0.5                # seconds that TCP gets to fill the tunnel before pings are sent beside it
readonly ping_interval=0.002     # seconds
readonly offer_seconds=1         # for each rate
readonly in_queues=0.2           # seconds that datagrams get to arrive when the last one is sent
in_real_time=(chrt --fifo 10)    # the generator keeps its rate whatever the daemons do, so that the same is offered to all

datagrams_program() {
    find_compiler
    "$cc" -std=c11 -O2 -Wall -Wextra -Werror -o "$work/datagrams" "$repo/etc/bench.d/tunnel/datagrams.c" || fail "the generator does not build"
    "${in_real_time[@]}" true 2>/dev/null || in_real_time=()
}

cpu_ms() { # cpu_ms NODE: utime + stime of its daemon so far, all threads. The name in field 2 may hold blanks, so count from its end.
    sed 's/.*) //' "/proc/${daemon[$1]}/stat" | awk -v hz="$ticks_per_second" '{printf "%d\n", ($12 + $13) * 1000 / hz}'
}

sender_ms=0 receiver_ms=0
daemons_start() { sender_ms=$(cpu_ms "$1-left") receiver_ms=$(cpu_ms "$1-right"); }
daemons_stop() { sender_ms=$(($(cpu_ms "$1-left") - sender_ms)) receiver_ms=$(($(cpu_ms "$1-right") - receiver_ms)); }

record() { # record SCENARIO NAME ROUND JSON
    jq -cn --arg scenario "$1" --arg name "${2%-shaped}" --argjson round "$3" --argjson sender "$sender_ms" --argjson receiver "$receiver_ms" \
        '{scenario: $scenario, implementation: $name, round: $round, "sender-cpu-ms": $sender, "receiver-cpu-ms": $receiver} + '"$4" >>"$results"
    jq -r '"  round \(.round)  \(.scenario)  \(.implementation): " + ([
        (."gbit-per-second" // empty | "\(. * 100 | round / 100) Gbit/s"),
        (."packets-per-second" // empty | "\(. | round) packets/s") + (.offered // empty | " of \(.)"),
        (.p50 // empty | "p50 \(.) ms"), (.p99 // empty | "p99 \(.) ms")] | join(", "))' < <(tail -n1 "$results")
}

measure_tcp() { # measure_tcp SCENARIO NAME ROUND FROM TO ADDRESS STREAMS
    daemons_start "$2"
    iperf "$4" "$5" "$6" -C cubic -t "$seconds" -P "$7"
    daemons_stop "$2"
    record "$1" "$2" "$3" "$(jq -c '(.end.sum_received.bytes * 8 / 1e9) as $gbit | {
        gbit: $gbit, "gbit-per-second": (.end.sum_received.bits_per_second / 1e9), retransmits: .end.sum_sent.retransmits}' "$iperf_json")"
}

# What gets through is the most that does at any of the offered rates, since offering more than that leaves less of the
# machine for the daemons. One rate after the other is tried until two have brought no more.
measure_udp() { # measure_udp SCENARIO NAME ROUND FROM TO ADDRESS BYTES
    local rate best="" worse=0
    for rate in $offered; do
        offer_udp "$@" "$rate"
        if [[ ! $best ]] || jq -en --argjson a "$udp_json" --argjson b "$best" '$a."packets-per-second" > $b."packets-per-second"' >/dev/null; then
            best=$udp_json worse=0
        else
            ((++worse < 2)) || break
        fi
    done
    sender_ms=$(jq '."sender-cpu-ms"' <<<"$best") receiver_ms=$(jq '."receiver-cpu-ms"' <<<"$best")
    record "$1" "$2" "$3" "$best"
}

udp_json=""
offer_udp() { # offer_udp SCENARIO NAME ROUND FROM TO ADDRESS BYTES RATE: what became of it is in $udp_json
    local receiver
    spawn "$5" "$work/received" "${in_real_time[@]}" "$work/datagrams" receive "$datagrams_port"
    receiver=$spawned
    eventually 5 receives "$5" || fail "$5: nothing receives: $(cat "$work/received")"
    daemons_start "$2"
    on "$4" "${in_real_time[@]}" "$work/datagrams" send "$6" "$datagrams_port" "$7" "$8" "$offer_seconds" >"$work/sent" &
    wait $! || fail "$4 → $5: datagrams of $7 bytes"
    sleep "$in_queues"
    daemons_stop "$2"
    kill -TERM "$receiver"
    wait "$receiver" || fail "$5: datagrams: $(cat "$work/received")"
    udp_json=$(jq -c --argjson sent "$(cat "$work/sent")" --argjson sender "$sender_ms" --argjson receiver "$receiver_ms" '{
        bytes: '"$7, offered: $8"', "packets-sent": $sent.sent, "packets-received": .received, late,
        "packets-per-second": (.received / $sent.seconds), loss: (1 - .received / $sent.sent),
        "sender-cpu-ms": $sender, "receiver-cpu-ms": $receiver} | select(."packets-received" > 0)' "$work/received")
    [[ $udp_json ]] || fail "$4 → $5: no datagram of $7 bytes arrived"
}
receives() { [[ $(on "$1" ss -Hlun "sport = :$datagrams_port") ]]; }

measure_ping() { # measure_ping SCENARIO NAME ROUND FROM TO ADDRESS [beside]: alone, or beside a full TCP stream
    local stream="" gbit=null
    daemons_start "$2"
    if [[ ${7:-} ]]; then
        (iperf "$4" "$5" "$6" -C cubic -t "$((seconds + 1))") &
        stream=$!
        sleep "$ramp"
    fi
    on "$4" ping -n -i "$ping_interval" -w "$seconds" "$6" >"$work/ping" &
    wait $! || fail "$4: ping $6: $(tail -n 3 "$work/ping")"
    if [[ $stream ]]; then
        wait "$stream" || fail "$4 → $5: the stream beside the pings broke off"
        gbit=$(jq '.end.sum_received.bits_per_second / 1e9' "$work/iperf-$4-$5-$iperf_port.json")
    fi
    daemons_stop "$2"
    sed -nE 's/.* time=([0-9.]+) ms.*/\1/p' "$work/ping" | sort -n >"$work/replies"
    [[ -s $work/replies ]] || fail "$4: no reply from $6"
    record "$1" "$2" "$3" "$(jq -cs --argjson gbit "$gbit" 'def quantile($q): .[(length * $q | ceil) - 1];
        {replies: length, p50: quantile(0.5), p99: quantile(0.99), most: .[-1]}
        + if $gbit then {"gbit-per-second": $gbit} else {} end' "$work/replies")"
}
