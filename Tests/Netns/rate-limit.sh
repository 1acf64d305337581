#!/usr/bin/env bash
# rate-limit.sh [SECONDS]: TCP through a peer's limit has that rate, down by shaping and up by policing, over IPv4 and IPv6; a ping
# beside four downloads waits less than 20 ms; two peers of a group share its rate, and one goes to another group while it
# downloads; what is used of a quota outlives an end and a kill. (500 Mbit/s and many peers: long/rate-limit-fast.sh.)
# timeout: 400
#
#              client                             router                              second
#                 └── wan 10.0.0.2 ── 10.0.0.1 wan ── wan2 10.0.1.1 ── 10.0.1.2 wan ──┘
#   wg0 192.168.241.2, fd00::2 ····· wg0 192.168.241.1, fd00::1 ····· wg0 192.168.241.3      the router limits both
#
#   metered ── wan 10.0.2.{1,2} ── guest       wg0 192.168.242.{1,2}      with a quota
set -euo pipefail
# shellcheck source=../../etc/lib/rates.sh
. "$(dirname "$0")/../../etc/lib/rates.sh"

readonly seconds=${1:-5}

node router client second metered guest
wire router wan client wan
address router wan 10.0.0.1/24
address client wan 10.0.0.2/24
wire router wan2 second wan
address router wan2 10.0.1.1/24
address second wan 10.0.1.2/24
wire metered wan guest wan
address metered wan 10.0.2.1/24
address guest wan 10.0.2.2/24

limited() { # limited OPTIONS [EXTRA]: the router and the client, with these options of rate-limit
    interface router fullbore addresses="192.168.241.1/24 fd00::1/64" \
        extra="pipeline: [tun, allowed-ips, { rate-limit: { $1 } }, wireguard, udp]"$'\n'"${2:-}"
    interface client fullbore addresses="192.168.241.2/24 fd00::2/64"
    peer router client endpoint="10.0.0.2:$default_port" allowed="192.168.241.2/32 fd00::2/128"
    peer client router endpoint="10.0.0.1:$default_port" allowed="192.168.241.1/32 fd00::1/128"
}
limits() { # limits DOWN [UP]
    limited "default: { down: $1${2:+, up: $2} }"
    up client
    up router
    pings client 192.168.241.1 1
}

unlimited() {
    down router
    down client
}

# ---- A quota, first part: what follows takes longer than the minute after which it is saved.

readonly memories=$work/metered/state/metered/memories
quota() { # starts the router with a quota
    interface metered fullbore addresses=192.168.242.1/24 \
        extra="pipeline: [tun, allowed-ips, { rate-limit: { default: { quota: { total: 100kB, per: month, over: block } } } }, wireguard, udp]"
    peer metered guest endpoint="10.0.2.2:$default_port" allowed=192.168.242.2/32
    up metered
}
# Pings of 1000 bytes as IP packets: each that is answered uses 2 kB.
exchange() { # exchange COUNT ANSWERED
    local answered
    answered=$(on metered ping -q -n -c "$1" -i 0.02 -W 2 -s 972 192.168.242.2 | sed -nE 's/.* ([0-9]+) received.*/\1/p') || true
    [[ $answered == "$2" ]] || fail "quota: $answered of $1 pings were answered, not $2; $(cat "$memories" 2>/dev/null)"
}
used() { sed -nE 's/^rate-limit peer wg0 .* month [0-9]+ ([0-9]+)$/\1/p' "$memories" 2>/dev/null; }
expect_used() { [[ $(used) == "$1" ]] || fail "quota: $(used) bytes are remembered, not $1: $(cat "$memories")"; }
over_quota() { drops_of metered | sed -n 's/^rate-limit over-quota //p'; }
is_used() { [[ $(used) == "$1" ]]; }

interface metered fullbore # for its keys
interface guest fullbore addresses=192.168.242.2/24
peer guest metered allowed=192.168.242.1/32
up guest
quota
exchange 20 20
down metered
expect_used 40000
quota
exchange 10 10

# ---- Rates

for mbit in 5 50; do
    limits "${mbit}mbit"
    expect_rate "$mbit" "$(measure router client 192.168.241.2 "$seconds")" IPv4
    expect_rate "$mbit" "$(measure router client fd00::2 "$seconds")" IPv6
    unlimited
done

limits 5mbit 5mbit
rate=$(measure client router 192.168.241.1 "$seconds")
# What is policed is exact (RateLimitTests); how far below a TCP stream stays whose packets are dropped is TCP's affair.
((rate > 2500000 && rate < 5150000)) || fail "up: $rate bit/s of 5000000"
step "up: $rate bit/s of 5000000, policed"
[[ $(drops_of router) == *"rate-limit over-limit "* ]] || fail "nothing was policed: $(drops_of router)"

# The 99th percentile of 200 round trips beside four downloads, in ms. A ping that is lost took for ever: fails for three.
delay() {
    local server pinger
    spawn client "$work/server.log" iperf3 -s -1 -p "$iperf_port"
    server=$spawned
    eventually 5 listening client "$iperf_port" || fail "iperf3 does not listen"
    spawn router "$work/downloads.log" iperf3 -c 192.168.241.2 -p "$iperf_port" -C cubic -P 4 -t 7
    pinger=$spawned
    sleep 2
    on router ping -n -c 200 -i 0.02 -W 5 192.168.241.2 >"$work/pings" || true
    wait "$pinger" || fail "the downloads broke off: $(cat "$work/downloads.log")"
    wait "$server" || fail "iperf3 -s: $(cat "$work/server.log")"
    sed -nE 's/.*time=([0-9.]+).*/\1/p' "$work/pings" | sort -n | awk '{all[NR] = $1} END {if (NR < 198) exit 1; print all[198]}'
}

ours=$(delay) || fail "pings were lost: $(tail -n 3 "$work/pings")"
unlimited
limits 1000gbit
plain="not compared with a plain queue: no sch_tbf in this kernel"
if on router tc qdisc add dev wg0 root tbf rate 5mbit burst 16kb limit 500kb 2>/dev/null; then
    plain="$(delay || echo lost) ms behind a plain queue"
fi
unlimited
awk -v a="$ours" 'BEGIN {exit !(a < 20)}' || fail "the ping's 99th percentile is $ours ms"
step "a ping beside four downloads at 5 Mbit/s: $ours ms at the 99th percentile; $plain"

# ---- A group: two downloads, counted while both are under way; then one of them goes to another group

grouped() { # grouped GROUPS: declares the router and its two peers
    limited "" "groups: { $1 }"
    option[router,workers]=1 # a peer joins a group while the router runs only where both are one worker's
    peer router second endpoint="10.0.1.2:$default_port" allowed=192.168.241.3/32
}

interface second fullbore addresses=192.168.241.3/24
peer second router endpoint="10.0.1.1:$default_port" allowed=192.168.241.1/32
grouped "both: { peers: [client, second], rate-limit: { down: 20mbit } }"
for name in client second router; do up "$name"; done
for name in client second; do pings "$name" 192.168.241.1 1; done

download() { # download NODE ADDRESS: in the background
    spawn "$1" "$work/$1-server.log" iperf3 -s -1 -p "$iperf_port"
    eventually 5 listening "$1" "$iperf_port" || fail "$1: iperf3 does not listen"
    spawn router "$work/$1-download.log" iperf3 -c "$2" -p "$iperf_port" -C cubic -t $((4 * seconds + 2 * warmup + 8))
    downloads+=("$spawned")
}
# Bytes that a node's TCP has received, and the moment of that in microseconds.
received() {
    local bytes
    bytes=$(on "$1" ss -Htin state established "sport = :$iperf_port" | sed -nE 's/.* bytes_received:([0-9]+) .*/\1/p' | awk '{sum += $1} END {print sum + 0}')
    printf '%s %s\n' "$bytes" "${EPOCHREALTIME/./}"
}
rate_between() { # rate_between "BYTES MOMENT" "BYTES MOMENT"
    awk -v a="$1" -v b="$2" 'BEGIN {split(a, x); split(b, y); printf "%.0f", (y[1] - x[1]) * 8e6 / (y[2] - x[2])}'
}
shares() { # the rates of the client and of the second, in $first and $other
    local starts ends
    sleep $((warmup + 1))
    starts=("$(received client)" "$(received second)")
    sleep $((2 * seconds))
    ends=("$(received client)" "$(received second)")
    first=$(with_headers "$(rate_between "${starts[0]}" "${ends[0]}")" 192.168.241.2)
    other=$(with_headers "$(rate_between "${starts[1]}" "${ends[1]}")" 192.168.241.3)
}

downloads=()
download client 192.168.241.2
download second 192.168.241.3
shares
expect_rate 20 $((first + other)) "two peers of a group together"
expect_rate 10 "$first" "the one"
expect_rate 10 "$other" "the other"

handshakes="$(handshake_of router client) $(handshake_of router second)"
grouped "both: { peers: [client], rate-limit: { down: 20mbit } }, slow: { peers: [second], rate-limit: { down: 5mbit } }"
router_file router >"$work/router/router.yaml"
on router "$fullbore" reload router >"$work/reloaded" || fail "a peer does not change its group: $(cat "$work/reloaded" "$work/router/log")"
shares
expect_rate 20 "$first" "the one that stays"
expect_rate 5 "$other" "the other one in another group"
for pid in "${downloads[@]}"; do
    wait "$pid" || fail "a download broke off: $(cat "$work/client-download.log" "$work/second-download.log")"
done
[[ "$(handshake_of router client) $(handshake_of router second)" == "$handshakes" ]] || fail "a session began anew with a group"
unlimited
down second

# ---- A quota, second part

eventually 65 is_used 60000 || fail "quota: a minute later $(used) bytes are remembered, not 60000"
exchange 5 5 # which are not saved
kill -KILL "${daemon[metered]}"
ends "${daemon[metered]}" 2 || fail "metered is not to be killed"
expect_used 60000
quota
exchange 25 20
[[ $(over_quota) == 5 ]] || fail "quota: $(over_quota) packets were blocked, not 5: $(drops_of metered)"
down metered
expect_used 100000
quota
exchange 3 0
[[ $(over_quota) == 3 ]] || fail "quota: $(over_quota) packets were blocked, not 3: $(drops_of metered)"
down metered
sed -i -E 's/ month [0-9]+ / month 1 /' "$memories" # of another month
quota
exchange 3 3
[[ ! $(over_quota) ]] || fail "quota: a month that is over is not: $(drops_of metered)"
down metered
expect_used 6000
step "a quota outlives an end and a kill, which forgets the minute since it was saved"
all_down
