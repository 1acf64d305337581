#!/usr/bin/env bash
# unreachable.sh [ROUTER]: whoever sends where nobody is, is told at once (P-4.15 to P-4.17, N-27): on the router itself, on a host
# behind it, and on one whose address is changed on the way into the tunnel.
#
#   host ── lan ────────── lan ── router ── wire ── wire ── far       lan: 10.0.0.{1,100}, fd00:a::{1,100}
#                                  wg0 192.168.241.1/24, fd00:b::1/64  outer: 10.1.0.{1,2}
#
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly router=${1:-fullbore}
[[ $router != wireguard-go ]] || skip "wireguard-go drops such packets without a word (P-4.15)"

node host router far
wire host lan router lan
wire router wire far wire
address host lan 10.0.0.1/24 fd00:a::1/64
address router lan 10.0.0.100/24 fd00:a::100/64
address router wire 10.1.0.1/24
address far wire 10.1.0.2/24
ip -n "$prefix-host" route add default via 10.0.0.100
ip -n "$prefix-host" route add default via fd00:a::100

interface router "$router" addresses="192.168.241.1/24 fd00:b::1/64"
interface far "$router" addresses="192.168.241.2/24 fd00:b::2/64"
# Nobody knows yet where it is.
peer router far allowed="192.168.241.2/32 fd00:b::2/128"
up router

told() { # told NODE DESTINATION BY WHAT: one ping, answered by an ICMP error from BY
    local output
    output=$(on "$1" ping -n -c 1 -W 2 "$2" || true)
    [[ $output == *"From $3 icmp_seq=1 $4"* ]] || fail "$1: ping $2: not told by $3: $output"
}
readonly unreachable4="Destination Host Unreachable"
readonly unreachable6="Destination unreachable: Address unreachable"

told router 192.168.241.77 192.168.241.1 "$unreachable4"
told router fd00:b::77 fd00:b::1 "$unreachable6"
step "P-4.15 on the router: no peer has the address"

told router 192.168.241.2 192.168.241.1 "$unreachable4"
told router fd00:b::2 fd00:b::1 "$unreachable6"
step "P-4.16 on the router: the peer's endpoint is not known"

told host 192.168.241.2 10.0.0.100 "$unreachable4"
told host fd00:b::2 fd00:a::100 "$unreachable6"
step "on a host behind the router, from the router's address there"

on router nft -f - <<'NFT'
table ip nat { chain post { type nat hook postrouting priority 100; oifname "wg0" snat to 192.168.241.1; }; }
table ip6 nat { chain post { type nat hook postrouting priority 100; oifname "wg0" snat to fd00:b::1; }; }
NFT
told host 192.168.241.77 10.0.0.100 "$unreachable4"
told host fd00:b::77 fd00:a::100 "$unreachable6"
step "N-27 behind NAT too: the host's own address is told, from the router's address there"

refused() { # a TCP connection or a UDP datagram fails with the error, not after a time
    local output
    output=$(on host timeout 5 socat -u - "$1" 2>&1 <<<hello || true)
    [[ $output == *"No route to host"* ]] || fail "$1: $output"
}
refused TCP4:192.168.241.77:80
refused 'TCP6:[fd00:b::77]:80'
step "TCP behind NAT ends at once with: no route to host"

# More than may be told of: the rest is suppressed and counted, and nothing else suffers.
on host ping -q -n -l 1000 -c 1000 -W 1 192.168.241.77 >/dev/null || true
told=$(on router "$fullbore" show router --json | jq '[.stages[].counters[] | select(.name == "unreachables-told").value] | add')
suppressed=$(on router "$fullbore" show router --json | jq '[.stages[].counters[] | select(.name == "unreachables-suppressed").value] | add')
((suppressed > 500)) || fail "of 1000 pings too few were suppressed: told $told, suppressed $suppressed"
step "P-4.17 a flood of pings: told $told, suppressed $suppressed"

peer router far endpoint="10.1.0.2:$default_port" allowed="192.168.241.2/32 fd00:b::2/128"
peer far router endpoint="10.1.0.1:$default_port" allowed="192.168.241.1/32 fd00:b::1/128"
down router
up router
up far
pings host 192.168.241.2
step "with the peer there nobody is told anything"
