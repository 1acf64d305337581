#!/usr/bin/env bash
# cookies.sh [OURS [THEIRS]]: either one is brought under load by a flood of initiations, and the other one comes: it is told a cookie,
# shows it in the mac2 of its next initiation, and gets in; over IPv4 and over IPv6 (P-3.2, P-3.11, S-6).
#
#   attacker ── dirty ── busy ── wire ───────────────── wire ── comer
#   10.0.2.2, and all        wg0 10.9.0.1/24 ··········· wg0 10.9.0.2/24
#   of 10.66.0.0/16          outer: 10.0.0.{1,2}, fd00:aa::{1,2}
#
# timeout: 400
set -euo pipefail
# shellcheck source=../../etc/lib/flood.sh
. "$(dirname "$0")/../../etc/lib/flood.sh"

readonly ours=${1:-fullbore} theirs=${2:-wireguard-go}
readonly rate=100000    # initiations a second; what is managed is enough to keep anybody busy
readonly patience=60    # seconds for a peer to get in: a tail-dropping queue may take several tries, five seconds apart
readonly tries=5        # until one comes while there is load
readonly longest=150    # seconds of a flood

flood_program
node busy comer attacker
wire busy wire comer wire
wire busy dirty attacker dirty
address busy wire 10.0.0.1/24 fd00:aa::1/64
address comer wire 10.0.0.2/24 fd00:aa::2/64
address busy dirty 10.0.2.1/24
address attacker dirty 10.0.2.2/24
for setting in all default dirty; do sysctl_of busy "net/ipv4/conf/$setting/rp_filter" 0; done
ip -n "$prefix-busy" route add 10.66.0.0/16 via 10.0.2.2
on comer nft -f - <<<'table inet probe { }' 2>/dev/null || skip "this kernel has no nftables"

# What the comer gets and says: messages of type 3 and their length; initiations whose last 16 bytes, mac2, are not 0; those where
# they are; responses.
watch_comer() {
    on comer nft -f - <<EOT
table inet probe
delete table inet probe
table inet probe {
    chain in {
        type filter hook input priority 0
        udp sport $default_port udp length 72 @th,64,32 0x03000000 counter comment "cookies"
        udp sport $default_port udp length 100 @th,64,32 0x02000000 counter comment "responses"
    }
    chain out {
        type filter hook output priority 0
        udp dport $default_port udp length 156 @th,64,32 0x01000000 @th,1120,128 != 0 counter comment "with-cookie"
        udp dport $default_port udp length 156 @th,64,32 0x01000000 @th,1120,128 0 counter comment "without-cookie"
    }
}
EOT
}
seen() { # seen WHAT: how many
    on comer nft -j list table inet probe |
        jq --arg what "$1" '[.nftables[].rule? | select(.comment == $what) | .expr[].counter? | select(.) | .packets] | add'
}
connected() { (($(handshake_of comer busy) > 0 && $(handshake_of busy comer) > 0)); }

for direction in "$ours $theirs" "$theirs $ours"; do
    read -r busy comer <<<"$direction"
    interface busy "$busy" addresses=10.9.0.1/24
    interface comer "$comer" addresses=10.9.0.2/24
    peer busy comer allowed=10.9.0.2/32
    up busy
    flood attacker busy 10.0.2.1 valid "$rate" "$longest"
    sleep 1 # so that it is under load before anybody comes
    for outer in 10.0.0.1 fd00:aa::1; do
        peer comer busy endpoint="$(bracketed $outer):$default_port" allowed=10.9.0.1/32 keepalive=1
        for ((try = 1; try <= tries; try++)); do
            watch_comer
            began=$EPOCHREALTIME
            up comer
            eventually "$patience" connected || fail "$(basename "$comer") does not get in at a busy $(basename "$busy") over $outer: $(seen cookies) cookies, $(seen with-cookie) initiations with one"
            took=$(elapsed "$began")
            down comer
            # One that came in a moment without load proves nothing.
            (($(seen cookies) == 0 || $(seen with-cookie) == 0)) || break
        done
        ((try <= tries)) || fail "$outer: $(basename "$busy") was not busy"
        (($(seen without-cookie) >= 1 && $(seen responses) >= 1)) || fail "$outer: $(seen without-cookie) initiations without a cookie, $(seen responses) responses"
        step "$(basename "$comer") gets in at a busy $(basename "$busy") over $outer after $took s, with $(seen cookies) cookies"
    done
    stop_flood
    down busy
done
