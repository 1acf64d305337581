#!/usr/bin/env bash
# roaming.sh [LEFT [RIGHT]]: a live session whose packets come from another address and port is followed there, in the same
# session, and answered there (N-13, N-14).
#
#   left ── wire ─── [rewrites source] ─── wire ── right
#            10.0.0.1:51820     → 10.0.0.99:9999      10.0.0.2
#            [fd00:aa::1]:51820 → [fd00:aa::99]:9998  fd00:aa::2
#
# The rewriting is stateless nftables on left's wire, so left itself knows nothing of it.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}}

node left right
wire left wire right wire
address left wire 10.0.0.1/24 10.0.0.99/24 fd00:aa::1/64
ip -n "$prefix-left" address add fd00:aa::99/64 dev wire preferred_lft 0 # so that nothing chooses it as its source
address right wire 10.0.0.2/24 fd00:aa::2/64
on left nft -f - <<<'table inet probe { }' 2>/dev/null || skip "this kernel has no nftables"

roams() { # roams ID FAMILY(ip|ip6) LEFT'S-OUTER RIGHT'S-OUTER NEW-ADDRESS NEW-PORT
    local handshake
    interface left "$left" addresses=192.168.241.1/24
    interface right "$right" addresses=192.168.241.2/24
    peer left right endpoint="$(bracketed "$4"):$default_port" allowed=192.168.241.2/32
    peer right left endpoint="$(bracketed "$3"):$default_port" allowed=192.168.241.1/32
    up right
    up left
    pings left 192.168.241.2
    expect_endpoint right left "$(bracketed "$3"):$default_port"
    handshake=$(handshake_of right left)

    on left nft -f - <<EOT
        table $2 roam {
            chain out { type filter hook postrouting priority 300; oifname wire udp sport $default_port $2 saddr set $5 udp sport set $6; }
            chain in { type filter hook prerouting priority -350; iifname wire udp dport $6 $2 daddr set $3 udp dport set $default_port; }
        }
EOT
    pings left 192.168.241.2
    expect_endpoint right left "$(bracketed "$5"):$6"
    pings right 192.168.241.1
    expect_endpoint right left "$(bracketed "$5"):$6"
    [[ $(handshake_of right left) == "$handshake" ]] || fail "$1: roaming took a new handshake"

    on left nft delete table "$2" roam
    pings left 192.168.241.2
    expect_endpoint right left "$(bracketed "$3"):$default_port"
    down left
    down right
    step "$1 from $3 to $(bracketed "$5"):$6 and back"
}

roams N-13 ip 10.0.0.1 10.0.0.2 10.0.0.99 9999
roams N-14 ip6 fd00:aa::1 fd00:aa::2 fd00:aa::99 9998
