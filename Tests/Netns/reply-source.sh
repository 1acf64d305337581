#!/usr/bin/env bash
# reply-source.sh [LEFT [RIGHT]]: a router with several addresses answers from the one it was asked at (N-30), also when
# that is on another interface than the packet came in by (N-31).
#
#   right ── wire ─────────── wire ── left ── other ─── other ── aside
#            10.0.0.10      10.0.0.1, .2      10.50.0.1
#            fd00:aa::10    fd00:aa::1, ::2   fd00:50::1
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}}

node left right aside
wire left wire right wire
wire left other aside other
address left wire 10.0.0.1/24 10.0.0.2/24 fd00:aa::1/64 fd00:aa::2/64
address left other 10.50.0.1/24 fd00:50::1/64
address right wire 10.0.0.10/24 fd00:aa::10/64
ip -n "$prefix-right" route add 10.50.0.0/24 via 10.0.0.1
ip -n "$prefix-right" route add fd00:50::/64 via fd00:aa::1

interface left "$left" addresses=192.168.241.1/24
interface right "$right" addresses=192.168.241.2/24
peer left right allowed=192.168.241.2/32
up left

answers_from() { # answers_from ID ADDRESS
    local endpoint
    endpoint=$(bracketed "$2"):$default_port
    interface right "$right" addresses=192.168.241.2/24
    peer right left endpoint="$endpoint" allowed=192.168.241.1/32
    up right
    expect_endpoint right left "$endpoint"
    pings right 192.168.241.1
    expect_endpoint right left "$endpoint"
    pings left 192.168.241.2 # and when left speaks first
    expect_endpoint right left "$endpoint"
    down right
    step "$1 asked at $2, answers from there"
}

for outer in 10.0.0.1 10.0.0.2 fd00:aa::1 fd00:aa::2; do answers_from N-30 "$outer"; done
for outer in 10.50.0.1 fd00:50::1; do answers_from N-31 "$outer"; done
down left
