#!/usr/bin/env bash
# rate-limit.sh [SECONDS]: TCP through a peer's limit has that rate, down by shaping and up by policing, over IPv4 and IPv6; a ping
# beside four downloads waits less than 20 ms; the rate of a group is that of its members together.
# timeout: 240
#
#   router ── wan ──────────── wan ── client
#       10.0.0.1                10.0.0.2
#   wg0 192.168.241.1, fd00::1 ······ wg0 192.168.241.2, fd00::2      the router limits the client
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly seconds=${1:-5}
readonly warmup=2 # until TCP has found the rate
readonly tolerance=3 # percent

node router client
wire router wan client wan
address router wan 10.0.0.1/24
address client wan 10.0.0.2/24

limits() { # limits DOWN [UP]
    interface router fullbore addresses="192.168.241.1/24 fd00::1/64" \
        extra="pipeline: [tun, allowed-ips, { rate-limit: { default: { down: $1${2:+, up: $2} } } }, wireguard, udp]"
    interface client fullbore addresses="192.168.241.2/24 fd00::2/64"
    peer router client endpoint="10.0.0.2:$default_port" allowed="192.168.241.2/32 fd00::2/128"
    peer client router endpoint="10.0.0.1:$default_port" allowed="192.168.241.1/32 fd00::1/128"
    up client
    up router
    pings client 192.168.241.1 1
}

unlimited() {
    down router
    down client
}

# What the receiver got, in bits a second and without the headers that the limit counts: IP, TCP and its time stamps.
measure() { # measure ADDRESS OPTION…
    local address=$1
    shift
    iperf router client "$address" -C cubic -t "$seconds" -O "$warmup" "$@"
    iperf_value '.end.sum_received.bits_per_second | floor'
}

with_headers() { # with_headers RATE ADDRESS: of segments that fill the tunnel's 1420 bytes
    local header=52
    [[ $2 != *:* ]] || header=72
    awk -v rate="$1" -v header=$header 'BEGIN {printf "%.0f", rate * 1420 / (1420 - header)}'
}

is_near() { awk -v a="$1" -v b="$2" -v t=$tolerance 'BEGIN {d = (a / b - 1) * 100; exit !(d <= t && d >= -t)}'; }

expect_rate() { # expect_rate MBIT ADDRESS OPTION…
    local wanted=$(($1 * 1000000)) address=$2 rate
    shift 2
    rate=$(with_headers "$(measure "$address" "$@")" "$address")
    is_near "$rate" "$wanted" || fail "$address: $rate bit/s of $wanted: not within $tolerance %"
    step "$address: $(awk -v a="$rate" -v b="$wanted" 'BEGIN {printf "%.2f Mbit/s, %+.2f %%", a / 1e6, (a / b - 1) * 100}')"
}

for mbit in 5 50 ${FULLBORE_FAST_RATES:-}; do
    limits "${mbit}mbit"
    expect_rate "$mbit" 192.168.241.2
    expect_rate "$mbit" fd00::2
    unlimited
done

limits 5mbit 5mbit
iperf client router 192.168.241.1 -C cubic -t "$seconds" -O "$warmup"
rate=$(with_headers "$(iperf_value '.end.sum_received.bits_per_second | floor')" 192.168.241.1)
((rate > 2500000 && rate < 5150000)) || fail "up: $rate bit/s of 5000000"
step "up: $rate bit/s of 5000000, policed"
[[ $(drops_of router) == *"rate-limit over-limit "* ]] || fail "nothing was policed: $(drops_of router)"

# The 99th of a hundred round trips beside four downloads, in ms.
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
    sed -nE 's/.*time=([0-9.]+).*/\1/p' "$work/pings" | sort -n | awk '{all[NR] = $1} END {if (NR < 180) exit 1; print all[int(NR * 0.99)]}'
}

ours=$(delay) || fail "pings were lost: $(tail -n 3 "$work/pings")"
unlimited
limits 1000gbit
plain="no sch_tbf in this kernel"
if on router tc qdisc add dev wg0 root tbf rate 5mbit burst 16kb limit 500kb 2>/dev/null; then
    plain="$(delay || echo lost) ms behind a plain queue"
fi
unlimited
awk -v a="$ours" 'BEGIN {exit !(a < 20)}' || fail "the ping's 99th percentile is $ours ms"
step "a ping beside four downloads at 5 Mbit/s: $ours ms at the 99th percentile; $plain"
