#!/usr/bin/env bash
# source-removed.sh [LEFT [RIGHT]]: the local address that a peer's packets leave from is taken away; the next packet leaves
# from another one, in the same session (N-28 IPv4, N-29 IPv6).
#
#   left ── wire ───────────────── wire ── right
#           10.0.0.1, then 10.0.0.10       10.0.0.2
#           fd00:aa::1, then fd00:aa::10   fd00:aa::2
#
# Debian's wireguard-go fails N-28: the kernel answers ENETUNREACH on IPv4 and EINVAL on IPv6, and it knows only the latter.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}}

node left right
wire left wire right wire
sysctl_of left net/ipv4/conf/all/promote_secondaries 1
address right wire 10.0.0.2/24 fd00:aa::2/64

fails_over() { # fails_over ID OLD/LENGTH NEW/LENGTH RIGHT'S-OUTER
    local old=${2%/*} new=${3%/*} handshake
    address left wire "$2"
    interface left "$left" addresses=192.168.241.1/24
    interface right "$right" addresses=192.168.241.2/24
    peer left right allowed=192.168.241.2/32
    peer right left endpoint="$(bracketed "$old"):$default_port" allowed=192.168.241.1/32
    up left
    up right
    pings right 192.168.241.1
    expect_endpoint right left "$(bracketed "$old"):$default_port"
    expect_endpoint left right "$(bracketed "$4"):$default_port"
    handshake=$(handshake_of right left)

    address left wire "$3"
    pings left 192.168.241.2
    expect_endpoint right left "$(bracketed "$old"):$default_port" # a second address alone changes nothing

    ip -n "$prefix-left" address delete "$2" dev wire
    pings left 192.168.241.2
    expect_endpoint right left "$(bracketed "$new"):$default_port"
    pings right 192.168.241.1
    [[ $(handshake_of right left) == "$handshake" ]] || fail "$1: it took a new handshake"
    down left
    down right
    step "$1 $old is gone, its packets come from $new"
}

fails_over N-28 10.0.0.1/24 10.0.0.10/24 10.0.0.2
fails_over N-29 fd00:aa::1/64 fd00:aa::10/64 fd00:aa::2
