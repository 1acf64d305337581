#!/usr/bin/env bash
# route-moves.sh [LEFT [RIGHT]]: a better route to a peer's endpoint comes up through another interface, and goes again: a
# live session follows it there and back, in the same session (N-32), over IPv6 too.
#
#           10.0.0.1, fd00:aa::1
#   left ─┬─ one ───────────────── one ─┬─ right        right: 10.0.0.2, fd00:aa::2, on both wires
#         └─ two ───────────────── two ─┘
#           10.0.0.3, fd00:aa::3
#
# right's routes differ only in that they lead back over the wire that left's address is on.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}}
readonly worse=100 better=50 # metrics

node left right
for interface in one two; do wire left "$interface" right "$interface"; done
for name in left right; do
    for interface in all one two; do sysctl_of "$name" "net/ipv4/conf/$interface/rp_filter" 0; done
done
# Addresses without routes of their own: the script alone says what leads where.
on_left() { ip -n "$prefix-left" "$@"; }
on_right() { ip -n "$prefix-right" "$@"; }
on_left address add 10.0.0.1/32 dev one
on_left address add fd00:aa::1/128 dev one
on_left address add 10.0.0.3/32 dev two
on_left address add fd00:aa::3/128 dev two
for interface in one two; do
    on_right address add 10.0.0.2/32 dev "$interface"
    on_right address add fd00:aa::2/128 dev "$interface"
done
on_right route add 10.0.0.1/32 dev one src 10.0.0.2
on_right route add 10.0.0.3/32 dev two src 10.0.0.2
on_right route add fd00:aa::1/128 dev one
on_right route add fd00:aa::3/128 dev two

moves() { # moves ID FAMILY RIGHT'S-OUTER/LENGTH OLD NEW
    local outer=${3%/*} handshake
    on_left "-$2" route add "$3" dev one src "$4" metric "$worse"
    interface left "$left" addresses=192.168.241.1/24
    interface right "$right" addresses=192.168.241.2/24
    peer left right endpoint="$(bracketed "$outer"):$default_port" allowed=192.168.241.2/32
    peer right left allowed=192.168.241.1/32
    up right
    up left
    pings left 192.168.241.2
    expect_endpoint right left "$(bracketed "$4"):$default_port"
    handshake=$(handshake_of right left)

    on_left "-$2" route add "$3" dev two src "$5" metric "$better"
    eventually 3 seen_from "$5" || fail "$1: a better route came up, and right has left at $(endpoint_of right left)"
    pings left 192.168.241.2
    pings right 192.168.241.1
    expect_endpoint right left "$(bracketed "$5"):$default_port"

    on_left "-$2" route delete "$3" dev two metric "$better"
    eventually 3 seen_from "$4" || fail "$1: the better route is gone, and right has left at $(endpoint_of right left)"
    pings left 192.168.241.2
    pings right 192.168.241.1
    expect_endpoint right left "$(bracketed "$4"):$default_port"
    [[ $(handshake_of right left) == "$handshake" ]] || fail "$1: it took a new handshake"
    on_left "-$2" route delete "$3" dev one metric "$worse"
    down left
    down right
    step "$1 $outer by way of $5 and back: the session followed"
}

seen_from() { # seen_from ADDRESS: a packet of left's reaches right from there
    on left ping -q -n -c 1 -W 1 192.168.241.2 >/dev/null || true
    [[ $(endpoint_of right left) == "$(bracketed "$1"):$default_port" ]]
}

moves N-32 4 10.0.0.2/32 10.0.0.1 10.0.0.3
moves "N-32 over IPv6" 6 fd00:aa::2/128 fd00:aa::1 fd00:aa::3
