#!/usr/bin/env bash
# live-changes.sh: several wg at once change a router through which a flow runs: peers by the thousand come and go, ports and
# marks change, the other side's link flaps. The flow's peer is not among what changes, and loses next to nothing, while
# prefixes change under it (P-7.7) and everything is told of meanwhile (S-18, P-8.16, P-8.17, P-9.1, P-9.2).
#
#   left ── wire ───────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 192.168.241.1/24 ·········· wg0 192.168.241.2/24       (a drop-in)
#
# timeout: 120
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly clients=4 rounds=25 crowd=20000
readonly pings=1500 lost_at_most=45 # each of the ports that are closed may have some in its buffer, which are gone with it

node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
interface left fullbore addresses="192.168.241.1/24" workers=2
interface right fullbore-uapi addresses="192.168.241.2/24"
peer left right endpoint="10.0.0.2:$default_port" allowed="192.168.241.2/32"
peer right left endpoint="10.0.0.1:$default_port" allowed="192.168.241.1/32"
up left
up right
pings left 192.168.241.2
descriptors() { find "/proc/${daemon[left]}/fd" | wc -l; }
before=$(descriptors)

client() { # client NUMBER: each has prefixes of its own, and one that all want
    local round key
    for ((round = 0; round < rounds; round++)); do
        key=$(wg genkey | wg pubkey)
        on left wg set wg0 peer "$key" allowed-ips "10.$1.$round.0/24,10.9.9.0/24" endpoint "10.0.0.77:$((round + 1))" persistent-keepalive 1
        on left wg show wg0 dump >/dev/null # while peers and prefixes come and go
        ((round % 3)) || on left wg set wg0 peer "$key" remove
        ((round % 8)) || on left wg set wg0 fwmark "$((round + 1))"
        ((round % 12)) || on left wg set wg0 listen-port "$((20000 + 100 * $1 + round))"
    done
}

on left ping -q -i 0.005 -c "$pings" -W 2 192.168.241.2 >"$work/ping" &
flow=$!
running=()
for ((number = 1; number <= clients; number++)); do
    client "$number" &
    running+=($!)
done
for process in "${running[@]}"; do wait "$process" || fail "a wg of several at once has failed"; done
expected=$((clients * (rounds - (rounds + 2) / 3) + 1))
[[ $(on left wg show wg0 peers | wc -l) == "$expected" ]] || fail "$(on left wg show wg0 peers | wc -l) peers, expected $expected"
(($(on left wg show wg0 allowed-ips | awk '/10\.9\.9\.0/' | wc -l) <= 1)) || fail "P-7.3: a prefix of more than one peer"
step "$clients clients at once, $((clients * rounds)) changes each with a look"

{
    printf 'set=1\n'
    awk -v n="$crowd" 'BEGIN {for (i = 0; i < n; i++) printf "public_key=%064x\nallowed_ip=10.%d.%d.0/24\nallowed_ip=fd01:%x::/64\n", i + 2, 100 + i / 250, i % 250, i}'
    printf '\nset=1\nreplace_peers=true\npublic_key=%s\n' "$(base64 -d <<<"${public_key[right]}" | od -An -v -tx1 | tr -d ' \n')"
    printf 'endpoint=10.0.0.2:%s\nallowed_ip=192.168.241.2/32\n\n' "$default_port"
} >"$work/crowd"
began=$EPOCHREALTIME
[[ $(on left socat -t 20 - UNIX-CONNECT:/run/wireguard/wg0.sock <"$work/crowd" | tr -d '\n') == errno=0errno=0 ]] || fail "the crowd was refused"
step "$crowd peers and $((2 * crowd)) prefixes came and went in $(elapsed "$began") s"
wait "$flow" || true
answered=$(sed -nE 's/.* ([0-9]+) received.*/\1/p' "$work/ping")
((answered >= pings - lost_at_most)) || fail "of the flow $answered of $pings pings were answered: $(tail -n2 "$work/ping")"
step "the flow: $answered of $pings pings answered, $(sed -nE 's|^rtt .* = (.*)|\1|p' "$work/ping")"

for ((round = 0; round < 20; round++)); do
    ip -n "$prefix-right" link set wg0 down
    ip -n "$prefix-right" link set wg0 up
done
# Whoever has forgotten the session begins: left would find out after 15 s (P-5.3).
working() { on right ping -q -c 1 -W 1 192.168.241.1 >/dev/null; }
eventually 12 working || fail "after its peer's link has flapped nothing passes"
pings left 192.168.241.2
(($(descriptors) == before)) || fail "descriptors: $before before, $(descriptors) now"
step "the peer's link has flapped 20 times, and it goes on; $before descriptors as before"
down left
down right
