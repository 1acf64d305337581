#!/usr/bin/env bash
# rekey.sh [LEFT [RIGHT [SECONDS]]]: five minutes of traffic through real rekeys, every 120 s (P-5.6): of up to 100 pings a
# second each way none is lost, a TCP stream runs from the first second to the last, and neither router counts a drop.
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 10.9.0.1/24 ············ wg0 10.9.0.2/24
#
# timeout: 480
set -euo pipefail
# shellcheck source=../../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}} seconds=${3:-300}
readonly rekey_after=120   # seconds (P-5.6)
readonly stream_rate=100M  # below what the machine can do, so that no queue overflows
# And no more at once than a UDP socket's default receive buffer holds (212992 bytes, skbs counted whole): wireguard-go
# leaves it so, and loses a ping in a thousand beside iperf3's blocks of 128 KiB, to itself as well.
readonly stream_window=64K stream_block=16K
readonly pings_a_second=100

node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
interface left "$left" addresses=10.9.0.1/24
interface right "$right" addresses=10.9.0.2/24
peer left right endpoint="10.0.0.2:$default_port" allowed=10.9.0.2/32
peer right left endpoint="10.0.0.1:$default_port" allowed=10.9.0.1/32
up left
up right
pings left 10.9.0.2

# Until the time is up: on a busy machine ping is slower than it is asked to be. It counts as lost what is late at its
# end, so what was lost is asked of the kernel.
ping_on() { on "$1" ping -q -n -i 0.01 -w "$seconds" "$2" >"$work/ping-$1" || true; }
echoes() { # echoes NODE: requests sent, replies received
    # shellcheck disable=SC2016 # awk's
    on "$1" awk '/^IcmpMsg:/ && !n++ {split($0, name); next}
        /^IcmpMsg:/ {for (i in name) value[name[i]] = $i; print value["OutType8"] + 0, value["InType0"] + 0}' /proc/net/snmp
}
# shellcheck disable=SC2016 # awk's
overflows() { on "$1" awk '/^Udp:/ && n++ {print $6}' /proc/net/snmp; } # UDP sockets' receive buffers: RcvbufErrors
all_answered() { read -r transmitted received < <(echoes "$1") && ((transmitted == received)); }

declare -A pinger handshakes
for pair in "left 10.9.0.2" "right 10.9.0.1"; do
    read -r name destination <<<"$pair"
    ping_on "$name" "$destination" &
    pinger[$name]=$!
done
iperf left right 10.9.0.2 -C cubic -b "$stream_rate" -w "$stream_window" -l "$stream_block" -t "$seconds" &
stream=$!

while alive "${pinger[left]}" || alive "${pinger[right]}"; do
    for name in left right; do
        alive "${daemon[$name]}" || fail "$name is dead: $(tail -n 30 "$work/$name/log")"
        other=$([[ $name == left ]] && echo right || echo left)
        handshakes[$name]+="$(handshake_of "$name" "$other") "
    done
    sleep 1
done
wait "$stream" || fail "the TCP stream broke"

for name in left right; do
    ends "${pinger[$name]}" 10 || fail "$name: ping does not end"
    eventually 5 all_answered "$name" || fail "$name: $((transmitted - received)) of $transmitted pings were lost; datagrams that found a full buffer: left $(overflows left), right $(overflows right)"
    ((transmitted > seconds * pings_a_second / 4)) || fail "$name: only $transmitted pings were sent"
    keys=$(tr ' ' '\n' <<<"${handshakes[$name]}" | grep . | sort -u | wc -l)
    ((keys >= 1 + (seconds - 10) / rekey_after)) || fail "$name: only $keys handshakes in $seconds s"
    step "$name: $received of $transmitted pings answered over $keys handshakes"
    dropped=$(drops_of "$name" | grep -v no-route || true) # to nobody: what the host's own stack announces
    [[ ! $dropped ]] || fail "$name has dropped: $dropped"
done
iperf_json=$work/iperf-left-right-$iperf_port.json
idle=$(jq '[.intervals[].sum | select(.bytes == 0)] | length' "$iperf_json")
((idle == 0)) || fail "the TCP stream stood still for $idle s"
step "TCP: $(iperf_value '.end.sum_received.bytes / 1e6 | round') MB, $(iperf_value .end.sum_sent.retransmits) segments sent again, no second idle"
down left
down right
