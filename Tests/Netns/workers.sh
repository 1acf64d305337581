#!/usr/bin/env bash
# workers.sh [HUB [SPOKE]]: a router with two workers and four peers: parallel TCP of all peers at once, both ways, and from
# peer to peer, every stream finishes; and no peer's packets overtake each other. All peers share the hub's sockets (P-6.11).
#
#                       ┌─ wire ── one    10.9.0.1, fd09::1
#   hub ── bridge "net" ├─ wire ── two    10.9.0.2, fd09::2
#   10.9.0.9            ├─ wire ── three  10.9.0.3, fd09::3
#   two workers         └─ wire ── four   10.9.0.4, fd09::4       outer: 10.0.0.{9,1,2,3,4}
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly hub=${1:-fullbore} spoke=${2:-${1:-fullbore}}
readonly spokes=(one two three four)

node hub "${spokes[@]}"
ip -n "$prefix-hub" link add net type bridge
ip -n "$prefix-hub" link set net up
address hub net 10.0.0.9/24
interface hub "$hub" workers=2 addresses="10.9.0.9/24 fd09::9/64"
number=0
for name in "${spokes[@]}"; do
    number=$((number + 1))
    wire hub "to-$name" "$name" wire
    ip -n "$prefix-hub" link set "to-$name" master net
    address "$name" wire "10.0.0.$number/24"
    interface "$name" "$spoke" addresses="10.9.0.$number/24 fd09::$number/64"
    peer hub "$name" allowed="10.9.0.$number/32 fd09::$number/128"
    peer "$name" hub endpoint="10.0.0.9:$default_port" allowed="10.9.0.0/24 fd09::/64"
done
up hub
for name in "${spokes[@]}"; do up "$name"; done
for name in "${spokes[@]}"; do pings "$name" 10.9.0.9; done
for name in 1 2 3 4; do pings hub "fd09::$name"; done
sockets() { on hub ss -Haun "sport = :$default_port" | wc -l; }
[[ $hub != fullbore* ]] || (($(sockets) == 4)) || fail "P-6.11 the hub has $(sockets) sockets, expected two workers' two"
step "four peers answer and are answered, all at the same sockets"

streams=()
all_finish() { # all_finish WHAT
    local stream
    for stream in "${streams[@]}"; do wait "$stream" || fail "$1: a stream did not finish"; done
    streams=()
    alive "${daemon[hub]}" || fail "$1: the hub is dead: $(tail -n 30 "$work/hub/log")"
    step "$1: all finished, $(jq -s 'map(.end.sum_received.bits_per_second) | add / 1e7 | round / 100' "$work"/iperf-*.json) Gbit/s in all"
    rm -f "$work"/iperf-*.json
}
stream() { # stream PORT FROM TO ADDRESS [OPTION…]
    local port=$1
    shift
    IPERF_PORT=$port iperf "$@" &
    streams+=($!)
}

port=6000
for name in "${spokes[@]}"; do stream $((port++)) "$name" hub 10.9.0.9 -t 3 -P 4; done
all_finish "TCP, four streams from each peer to the hub"
number=0
for name in "${spokes[@]}"; do stream $((port++)) hub "$name" "fd09::$((++number))" -t 3 -P 2; done
for name in "${spokes[@]}"; do stream $((port++)) "$name" hub "fd09::9" -t 3 -P 2; done
all_finish "TCP over IPv6, both ways at once"
stream 6100 one three 10.9.0.3 -t 3
stream 6101 two four 10.9.0.4 -t 3
stream 6102 four one fd09::1 -t 3
all_finish "TCP from peer to peer through the hub"

# UDP shows what TCP hides: a datagram that overtook another. Only who receives can tell, so the client is the receiver (-R). Four
# peers and both ways, so that both workers are at it.
number=0
for name in "${spokes[@]}"; do
    stream $((port++)) hub "$name" "10.9.0.$((++number))" -R -u -b 30M -l 1200 -t 3
    stream $((port++)) "$name" hub 10.9.0.9 -R -u -b 30M -l 1200 -t 3
done
for stream in "${streams[@]}"; do wait "$stream" || fail "UDP: a stream did not finish"; done
disorder=$(jq -s 'map(.end.streams[].udp | .out_of_order // error("iperf3 tells nothing of order")) | add' "$work"/iperf-*.json)
[[ $disorder == 0 ]] || fail "UDP: $disorder datagrams were overtaken"
arrived=$(jq -s 'map(.end.sum | .packets - .lost_packets) | add' "$work"/iperf-*.json)
((arrived > 1000)) || fail "UDP: $arrived datagrams have arrived in all"
step "UDP from and to all four peers: of $arrived datagrams none was overtaken"

for name in "${spokes[@]}"; do pings "$name" 10.9.0.9 100; done
for name in "${spokes[@]}"; do down "$name"; done
down hub
