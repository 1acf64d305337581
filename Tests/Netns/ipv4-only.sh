#!/usr/bin/env bash
# ipv4-only.sh [LEFT [RIGHT]]: on a host whose IPv6 is switched off a router works with IPv4 alone (P-6.4).
#
#   left ── wire ───────────────── wire ── right        net.ipv6.conf.all.disable_ipv6=1 on left
#            10.0.0.1             10.0.0.2
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}}

node left right
wire left wire right wire
for interface in all default lo wire; do sysctl_of left "net/ipv6/conf/$interface/disable_ipv6" 1; done
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
[[ ! $(ip -n "$prefix-left" -6 address) ]] || fail "IPv6 is not off"

interface left "$left" addresses=192.168.241.1/24
interface right "$right" addresses=192.168.241.2/24
peer left right endpoint="10.0.0.2:$default_port" allowed=192.168.241.2/32
peer right left allowed=192.168.241.1/32
up right
up left
pings left 192.168.241.2
pings right 192.168.241.1
iperf left right 192.168.241.2 -t 1
step "TCP over a tunnel without IPv6: $(iperf_value '.end.sum_received.bits_per_second / 1e6 | round') Mbit/s"
down left
down right
