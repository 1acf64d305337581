#!/usr/bin/env bash
# memory.sh [LEFT [RIGHT [PACKETS]]]: the resident memory of both routers is flat over ten million packets: small ones, large
# ones, IPv4 and IPv6, in both directions (N-40: what is made is given back).
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 10.9.0.1/24, fd09::1/64 ·· wg0 10.9.0.2/24, fd09::2/64
#
# timeout: 1200
set -euo pipefail
# shellcheck source=../../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}} packets=${3:-10000000}
# A worker has its buffers before the first packet, so that no burst adds any. What is left are pages of small things that are
# touched for the first time: a leak of a byte in forty packets would be more.
readonly allowed_growth=256 # KiB, over all these packets
# On a busy machine a worker can stand still for longer than ever before, while another one sends it packets; what those are
# in beyond the warm pools is allocated, and counted by the router itself (buffers-allocated).
readonly buffer_size=68 allowed_buffers=32 # KiB each; more of them than this is a leak whatever the count says
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
count() { arrived=$((arrived + $(iperf_value "$1"))); }
traffic() {
    local datagrams='.end.sum | .packets - .lost_packets'
    iperf left right 10.9.0.2 -u -b 0 -l 64 -t 3
    count "$datagrams"
    iperf right left fd09::1 -u -b 0 -l 512 -t 3
    count "$datagrams"
    iperf left right fd09::2 --bidir -P 4 -t 3
    count "[.end | .sum_received, .sum_received_bidir_reverse | .bytes] | add / $segment | floor"
}
buffers_of() { on "$1" "$fullbore" show "$1" --json | jq '[.stages[].counters[] | select(.name == "buffers-allocated").value] | add'; }
check() { # check NODE: resident memory against the reference
    local growth=$(($(resident "$1") - reference[$1])) new=$(($(buffers_of "$1") - buffers[$1]))
    ((new <= allowed_buffers)) || fail "$1 has allocated $new buffers more after $arrived packets"
    ((growth <= allowed_growth + new * buffer_size)) ||
        fail "$1 has grown by $growth KiB after $arrived packets, of which $new buffers are $((new * buffer_size)) KiB at most"
}

# The longest bursts there can be come first, and then again and again as the scheduler likes it: what waits while a router
# stands still.
hold_up() {
    while sleep 0.3; do
        for name in left right; do
            kill -STOP "${daemon[$name]}"
            sleep 0.3
            kill -CONT "${daemon[$name]}"
        done
    done
}
hold_up &
holding=$!
for _ in 1 2; do traffic; done
kill "$holding"
wait "$holding" || true
kill -CONT "${daemon[left]}" "${daemon[right]}"
traffic
declare -A buffers=([left]=$(buffers_of left) [right]=$(buffers_of right)) # asked for first: the answer takes memory too
declare -A reference=([left]=$(resident left) [right]=$(resident right))
step "after the longest bursts: left ${reference[left]} KiB, right ${reference[right]} KiB"

arrived=0
while ((arrived < packets)); do
    traffic
    for name in left right; do
        alive "${daemon[$name]}" || fail "$name is dead: $(tail -n 30 "$work/$name/log")"
        check "$name"
    done
    step "$arrived packets: left $(resident left) KiB, right $(resident right) KiB"
done
step "buffers beyond the workers' own: left $(buffers_of left), right $(buffers_of right); at the beginning ${buffers[left]}, ${buffers[right]}"
down left
down right
