#!/usr/bin/env bash
# memory.sh [LEFT [RIGHT [PACKETS]]]: the resident memory of both routers is flat over ten million packets: small ones, large
# ones, IPv4 and IPv6, in both directions.
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 10.9.0.1/24, fd09::1/64 ·· wg0 10.9.0.2/24, fd09::2/64
#
# timeout: 1200
set -euo pipefail
# shellcheck source=../../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}} packets=${3:-10000000}
readonly allowed_growth=1024 # KiB, from the first quarter to the end
readonly segment=1368        # bytes of TCP payload in a packet of 1420 at the least

node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
interface left "$left" addresses="10.9.0.1/24 fd09::1/64"
interface right "$right" addresses="10.9.0.2/24 fd09::2/64"
peer left right endpoint="10.0.0.2:$default_port" allowed="10.9.0.2/32 fd09::2/128"
peer right left endpoint="10.0.0.1:$default_port" allowed="10.9.0.1/32 fd09::1/128"
up left
up right
pings left 10.9.0.2

resident() { awk '/^VmRSS:/ {print $2}' "/proc/${daemon[$1]}/status"; }

# Counted are packets that arrived, so both routers have handled each of them.
arrived=0
declare -A reference=() peak=([left]=0 [right]=0)
while ((arrived < packets)); do
    iperf left right 10.9.0.2 -u -b 0 -l 64 -t 3
    arrived=$((arrived + $(iperf_value '.end.sum | .packets - .lost_packets')))
    iperf right left fd09::1 -u -b 0 -l 512 -t 3
    arrived=$((arrived + $(iperf_value '.end.sum | .packets - .lost_packets')))
    iperf left right fd09::2 --bidir -P 4 -t 3
    arrived=$((arrived + $(iperf_value "[.end | .sum_received, .sum_received_bidir_reverse | .bytes] | add / $segment | floor")))
    for name in left right; do
        alive "${daemon[$name]}" || fail "$name is dead: $(tail -n 30 "$work/$name/log")"
        now=$(resident "$name")
        if ((arrived * 4 < packets)) || [[ ! ${reference[$name]:-} ]]; then
            ((now <= ${reference[$name]:-0})) || reference[$name]=$now
        elif ((now > peak[$name])); then
            peak[$name]=$now
        fi
    done
    step "$arrived packets: left $(resident left) KiB, right $(resident right) KiB"
done

for name in left right; do
    ((peak[$name] > 0)) || fail "too few rounds to compare: ask for more packets"
    growth=$((peak[$name] - reference[$name]))
    ((growth <= allowed_growth)) || fail "$name grew by $growth KiB after the first quarter, from ${reference[$name]} KiB"
    step "$name: ${reference[$name]} KiB in the first quarter, at most ${peak[$name]} KiB after it"
done
down left
down right
