#!/usr/bin/env bash
# nested.sh [IMPLEMENTATION]: tunnels in tunnels. WireGuard through WireGuard (N-18), a peer that is reached through another peer
# of the same interface (N-24), one whose endpoint lies behind itself (N-25), and packets that two peers send each other round
# and round (N-19): what cannot work does no harm.
#
#   left ── wire ─────────── wire ── right ── far ─────────── far ── end
#       10.0.0.1         10.0.0.2       10.8.0.2          10.8.0.3
#   wg0 10.9.0.1 ············ wg0 10.9.0.2, forwards ··········· wg0 10.9.0.3 (for left, through right)
#   wg1 10.7.0.1 ······ in wg0 ······ wg1 10.7.0.2                             (MTU 1340)
#
# timeout: 120
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly implementation=${1:-fullbore}

node left right end
wire left wire right wire
wire right far end far
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
address right far 10.8.0.2/24
address end far 10.8.0.3/24
ip -n "$prefix-end" route add default via 10.8.0.2

interface left "$implementation" addresses=10.9.0.1/24
interface right "$implementation" addresses=10.9.0.2/24
interface end "$implementation" addresses=10.9.0.3/24
peer left right endpoint="10.0.0.2:$default_port" allowed="10.9.0.2/32 10.8.0.0/24 10.6.0.0/24"
peer left end endpoint="10.8.0.3:$default_port" allowed=10.9.0.3/32
peer right left endpoint="10.0.0.1:$default_port" allowed="10.9.0.1/32 10.6.0.0/24"
peer end left allowed=10.9.0.1/32
up right
up end
up left
pings left 10.9.0.2
pings left 10.9.0.3
iperf left end 10.9.0.3 -t 1
step "N-24 a peer is reached through another one of the same interface, $(iperf_value '.end.sum_received.bits_per_second / 1e6 | floor') Mbit/s"

# ---- a second tunnel in the first
program=$fullbore
[[ $implementation == fullbore ]] || program=$implementation
declare -A inner_key
for name in left right; do
    inner_key[$name]=$(wg genkey)
    mkdir -p "$work/$name/run/wireguard"
    spawn "$name" "$work/$name/wg1.log" env LOG_LEVEL=error WG_PROCESS_FOREGROUND=1 "$program" -f wg1
    daemon[$name,wg1]=$spawned
    eventually 10 test -S "$work/$name/run/wireguard/wg1.sock" || fail "$name: no wg1: $(cat "$work/$name/wg1.log")"
    (umask 077 && printf '%s\n' "${inner_key[$name]}" >"$work/$name/wg1.key")
done
inner() { # inner NODE OTHER ADDRESS OTHER'S-ADDRESS OTHER'S-ENDPOINT
    on "$1" wg set wg1 private-key "$work/$1/wg1.key" listen-port 7777 \
        peer "$(wg pubkey <<<"${inner_key[$2]}")" allowed-ips "$4/32" endpoint "$5:7777"
    address "$1" wg1 "$3/24"
    ip -n "$prefix-$1" link set wg1 mtu 1340 up
}
inner left right 10.7.0.1 10.7.0.2 10.9.0.2
inner right left 10.7.0.2 10.7.0.1 10.9.0.1
pings left 10.7.0.2
pings right 10.7.0.1
iperf left right 10.7.0.2 -t 1
tcp=$(iperf_value '.end.sum_received.bits_per_second / 1e6 | floor')
iperf right left 10.7.0.1 -u -b 20M -t 1
some_udp_arrived
step "N-18 WireGuard through WireGuard: TCP $tcp Mbit/s, UDP $(iperf_value '.end.sum | .bits_per_second * (100 - .lost_percent) / 1e8 | floor') Mbit/s"
for name in left right; do
    kill -TERM "${daemon[$name,wg1]}"
    ends "${daemon[$name,wg1]}" 3 || fail "$name: wg1 does not end"
done

# ---- round and round
on left ip route replace 10.6.0.0/24 dev wg0
on right ip route replace 10.6.0.0/24 dev wg0
# From an address that is behind either of them, as far as they know: neither's own, which would end it at once.
on left nft -f - <<<'table ip spoof { chain post { type filter hook postrouting priority 300; ip daddr 10.6.0.9 ip saddr set 10.6.0.7; }; }'
before=$(sent_by left right)
on left ping -q -n -c 10 -i 0.01 -W 1 10.6.0.9 >/dev/null && fail "something answers for 10.6.0.9"
growth=$(($(sent_by left right) - before))
((growth > 10000)) || fail "N-19 nothing went round: $growth bytes"
((growth < 70000)) || fail "N-19 the loop took $growth bytes"
on left nft delete table ip spoof
pings left 10.9.0.2
step "N-19 ten packets that go round until their hops are used up: $growth bytes sent"

# ---- a peer behind itself
on left wg set wg0 peer "${public_key[end]}" endpoint "10.9.0.3:$default_port"
before=$(sent_by left right)
pings_not left 10.9.0.3
alive "${daemon[left]}" || fail "left is dead: $(tail -n 20 "$work/left/log")"
pings left 10.9.0.2
[[ $implementation != fullbore* ]] || drops_of left | grep -q "endpoint-in-own-tunnel" || fail "N-25 nobody says why: $(drops_of left)"
step "N-25 a peer whose endpoint lies behind itself is not reached, and nothing else suffers"
all_down
