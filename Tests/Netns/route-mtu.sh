#!/usr/bin/env bash
# route-mtu.sh [LEFT [RIGHT]]: what is padded is no longer than the route's MTU, which may be below the device's (N-12, P-4.6).
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 10.9.0.1/24, fd09::1/64 ·· wg0 10.9.0.2/24, fd09::2/64     wg0's MTU 1300, the routes' 1299
#
# Nothing leaves left that is 1360 bytes long, which is a packet of 1300 once it is sealed.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}}
[[ $left != wireguard-go ]] || skip "wireguard-go goes by the device's MTU (P-4.6)"

node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
interface left "$left" mtu=1300 addresses="10.9.0.1/24 fd09::1/64"
interface right "$right" mtu=1300 addresses="10.9.0.2/24 fd09::2/64"
peer left right endpoint="10.0.0.2:$default_port" allowed="10.9.0.2/32 fd09::2/128"
peer right left endpoint="10.0.0.1:$default_port" allowed="10.9.0.1/32 fd09::1/128"
up left
up right
pings left 10.9.0.2
on left nft -f - <<<'table ip narrow { chain out { type filter hook output priority 0; oifname "wire" meta l4proto udp ip length 1360 drop; }; }'

passes() { on left ping -q -n -c 1 -W 1 -M dont -s "$1" "$2" >/dev/null; } # packets of 1297 bytes, which 16 does not divide
passes_not() { ! passes "$@"; }
passes4() { passes 1269 10.9.0.2; }
passes6() { passes 1249 fd09::2; }

! passes4 || fail "padded to the device's MTU a packet of 1297 bytes should be 1360 long outside"
! passes6 || fail "padded to the device's MTU a packet of 1297 bytes should be 1360 long outside"
ip -n "$prefix-left" route replace 10.9.0.2/32 dev wg0 proto static scope link mtu 1299
eventually 3 passes4 || fail "N-12 IPv4: padded beyond the route's MTU"
passes6 || fail "N-12 IPv6: padded beyond an MTU of 1299"
ip -n "$prefix-left" route replace 10.9.0.2/32 dev wg0 proto static scope link
eventually 3 passes_not 1269 10.9.0.2 || fail "the route's MTU is gone, and still padded to"
step "N-12 padded to the route's MTU, by way of IPv4"

ip -n "$prefix-left" -6 route replace fd09::2/128 dev wg0 proto static metric 1024 mtu 1299
eventually 3 passes6 || fail "N-12 IPv6: padded beyond the route's MTU"
ip -n "$prefix-left" -6 route delete fd09::2/128 dev wg0
eventually 3 passes_not 1249 fd09::2 || fail "the route's MTU is gone, and still padded to"
step "N-12 the same by way of IPv6, and when the route goes"
all_down
