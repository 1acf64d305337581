#!/usr/bin/env bash
# nat.sh [INNER [OUTER]]: a peer behind a NAT that forgets quickly is seen and answered at the NAT's address (N-20), and stays
# reachable by persistent keepalives (N-21) and not without; sockets bound to the interface (N-22); packets that a mark
# routes anew, into the tunnel, and the tunnel's own to where the mark's table says (N-23).
#
#   inner ── lan ──────────── lan ── nat ── wan ──────────── wan ── outer
#       192.168.1.100  192.168.1.1        10.0.0.1        10.0.0.100         masquerading, UDP flows forgotten after 2 s
#         └─ side ─────────────────────────────────────── side ──┘
#          10.1.0.1                                       10.1.0.2          a way round the NAT, for what is marked
#   wg0 192.168.241.1 ······················································ wg0 192.168.241.2, lo 192.168.99.1
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly inner=${1:-fullbore} outer=${2:-${1:-fullbore}}

node inner nat outer
wire inner lan nat lan
wire nat wan outer wan
address inner lan 192.168.1.100/24
address nat lan 192.168.1.1/24
address nat wan 10.0.0.1/24
address outer wan 10.0.0.100/24
ip -n "$prefix-inner" route add default via 192.168.1.1
wire inner side outer side
address inner side 10.1.0.1/24
address outer side 10.1.0.2/24
address outer lo 192.168.99.1/32
ip -n "$prefix-outer" route add 192.168.1.100 via 10.1.0.1
for name in inner outer; do
    for interface in all side; do sysctl_of "$name" "net/ipv4/conf/$interface/rp_filter" 0; done
done
sysctl_of nat net/ipv4/ip_forward 1
on nat nft -f - <<<'table ip nat { chain post { type nat hook postrouting priority 100; oifname "wan" masquerade; }; }' 2>/dev/null ||
    skip "this kernel has no NAT"
on nat true # the table loads connection tracking, whose times exist from then on
sysctl_of nat net/netfilter/nf_conntrack_udp_timeout 2
sysctl_of nat net/netfilter/nf_conntrack_udp_timeout_stream 2

interface inner "$inner" addresses=192.168.241.1/24
interface outer "$outer" addresses=192.168.241.2/24
peer inner outer endpoint="10.0.0.100:$default_port" allowed="192.168.241.2/32 192.168.99.1/32" keepalive=1
peer outer inner allowed=192.168.241.1/32
up outer
up inner
pings inner 192.168.241.2
pings outer 192.168.241.1
expect_endpoint outer inner "10.0.0.1:$default_port"
step "N-20 the peer behind the NAT is at $(endpoint_of outer inner)"

sleep 3
pings outer 192.168.241.1 1
step "N-21 after 3 s the NAT still knows it, by keepalives"
on inner wg set wg0 peer "${public_key[outer]}" persistent-keepalive 0
sleep 3.5
pings_not outer 192.168.241.1
step "N-21 and without them it doesn't"

pings inner 192.168.241.2
on inner ping -q -n -c 1 -W 1 -I wg0 192.168.241.2 >/dev/null || fail "bound to wg0: no answer"
! on inner ping -q -n -c 1 -W 1 -I lan 192.168.241.2 >/dev/null || fail "bound to lan: an answer through the tunnel"
step "N-22 a socket that is bound to wg0 uses it, one that is bound elsewhere doesn't"

seen_at() { # the NAT chooses the port
    [[ $(endpoint_of outer inner) == "$1:"* ]] || fail "outer has inner at $(endpoint_of outer inner), expected $1"
}

# Everything that inner sends is marked on its way out, the tunnel's own datagrams too, and so routed a second time.
on inner nft -f - <<<'table ip mangle { chain out { type route hook output priority mangle; meta mark set 1; }; }'
pings inner 192.168.241.2
on inner ping -q -n -c 1 -W 1 -I wg0 192.168.241.2 >/dev/null || fail "rerouted by a mark, bound to wg0: no answer"
seen_at 10.0.0.1
step "N-23 a mark that no rule asks for leaves everything as it was"

# What is marked goes another way: packets into the tunnel, and the tunnel's own past the NAT.
ip -n "$prefix-inner" route delete 192.168.99.1/32 dev wg0
reaches_far() { on inner ping -q -n -c 1 -W 1 -I 192.168.241.1 192.168.99.1 >/dev/null; }
! reaches_far || fail "N-23: there is a way to 192.168.99.1 without the mark's table"
ip -n "$prefix-inner" route add 192.168.99.1/32 dev wg0 table 77
ip -n "$prefix-inner" route add 10.0.0.100/32 via 10.1.0.2 dev side table 77
ip -n "$prefix-inner" rule add fwmark 1 lookup 77
reaches_far || fail "N-23: a packet that its mark routes into the tunnel does not arrive"
expect_endpoint outer inner "192.168.1.100:$default_port"
pings inner 192.168.241.2
pings outer 192.168.241.1
expect_endpoint outer inner "192.168.1.100:$default_port"
step "N-23 what is marked goes into the tunnel, and the tunnel itself by the mark's route: it is at $(endpoint_of outer inner)"
ip -n "$prefix-inner" rule delete fwmark 1 lookup 77
pings inner 192.168.241.2
seen_at 10.0.0.1
step "N-23 and back when the rule goes"
down inner
down outer
