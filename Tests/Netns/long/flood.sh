#!/usr/bin/env bash
# flood.sh [TARGET [RATE]]: 100,000 initiations a second from forged addresses, with a bad mac1 and with a valid one,
# while a peer moves data: what it costs is printed, beside what the same flood costs where it ends in the kernel, at
# a port without a socket; nearly all of the peer's pings are answered, resident memory stays, and a real peer that
# comes in the middle gets in by its cookie (S-16, S-21, P-3.9, P-3.12).
#
#                    ┌─ wire ── right     10.0.1.{1,2}   moves data through wg0 10.9.0.1 ·· 10.9.0.2
#   target 10.9.0.1 ─┼─ dirty ─ attacker  10.0.2.{1,2}   and all of 10.66.0.0/16
#                    └─ third ─ late      10.0.3.{1,2}   wg0 10.9.0.3, not there before the flood
#
# timeout: 300
set -euo pipefail
# shellcheck source=../../../etc/lib/flood.sh
. "$(dirname "$0")/../../../etc/lib/flood.sh"

readonly target=${1:-fullbore} rate=${2:-100000}
readonly length=18 # seconds of each flood
readonly pings=1000 answered_at_least=990 # the flood's datagrams fill the same queues of the kernel's as the pings do
readonly allowed_growth=8192 # KiB: the queue and the table of sources fill up once, and stay

flood_program
node target right attacker late
wire target wire right wire
wire target dirty attacker dirty
wire target third late third
address target wire 10.0.1.1/24
address right wire 10.0.1.2/24
address target dirty 10.0.2.1/24
address attacker dirty 10.0.2.2/24
address target third 10.0.3.1/24
address late third 10.0.3.2/24
for setting in all default dirty; do sysctl_of target "net/ipv4/conf/$setting/rp_filter" 0; done
ip -n "$prefix-target" route add 10.66.0.0/16 via 10.0.2.2
interface target "$target" addresses=10.9.0.1/24
interface right fullbore addresses=10.9.0.2/24
interface late fullbore addresses=10.9.0.3/24
peer target right allowed=10.9.0.2/32
peer target late allowed=10.9.0.3/32
peer right target endpoint="10.0.1.1:$default_port" allowed=10.9.0.1/32 keepalive=5
peer late target endpoint="10.0.3.1:$default_port" allowed=10.9.0.1/32 keepalive=5
up target
up right
pings right 10.9.0.1

resident() { awk '/^VmRSS:/ {print $2}' "/proc/${daemon[target]}/status"; }
measure() { # measure WHAT: TCP for three seconds, then the round trips of pings
    local trips
    iperf right target 10.9.0.1 -t 3
    on right ping -n -i 0.005 -c "$pings" -W 2 10.9.0.1 | sed -nE 's/.*time=([0-9.]+) ms/\1/p' | sort -n >"$work/trips"
    trips=$(wc -l <"$work/trips")
    step "$1: $(iperf_value '.end.sum_received.bits_per_second / 1e6 | round') Mbit/s, ping p50 $(sed -n "$(((trips + 1) / 2))p" "$work/trips") ms, p99 $(sed -n "$(((trips * 99 + 99) / 100))p" "$work/trips") ms, $trips of $pings answered"
    ((trips >= answered_at_least)) || fail "$1: only $trips of $pings pings are answered"
}
measure "without a flood"
flood attacker target 10.0.2.1 bad "$rate" 10 9
sleep 1
measure "initiations to a port without a socket"
flood_ends

late_connected() { (($(handshake_of late target) > 0)); }
for kind in bad valid; do
    before=$(resident)
    flood attacker target 10.0.2.1 "$kind" "$rate" "$length"
    sleep 1
    measure "initiations with a $kind mac1"
    began=$EPOCHREALTIME
    up late
    eventually 20 late_connected || fail "$kind: a real peer does not get in: $(tail -n 5 "$work/late/log")"
    step "$kind: a real peer is in after $(elapsed "$began") s"
    down late
    flood_ends
    growth=$(($(resident) - before))
    step "$kind: $(cat "$work/rate") a second were sent; resident memory $growth KiB"
    ((growth <= allowed_growth)) || fail "$kind: resident memory has grown by $growth KiB"
done
pings right 10.9.0.1
alive "${daemon[target]}" || fail "the target is dead"
[[ $target != fullbore ]] || step "dropped: $(drops_of target | grep ^wireguard | cut -d' ' -f2- | paste -sd,)"
