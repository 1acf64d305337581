#!/usr/bin/env bash
# restarts.sh: a router of two workers is started, changed in every way that it can be changed while data flows, and stopped, again and
# again; each time its end is an orderly one. The program to run under ThreadSanitizer (`etc/test --tsan`): a race that it has seen
# makes the status at the end another one.
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 10.9.0.1/24 ················ wg0 10.9.0.2/24
#
# timeout: 400
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly rounds=${1:-4} clients=3 changes=6

node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
interface left fullbore addresses=10.9.0.1/24 workers=2
interface right fullbore addresses=10.9.0.2/24 workers=2
peer left right endpoint="10.0.0.2:$default_port" allowed=10.9.0.2/32 keepalive=1
peer right left endpoint="10.0.0.1:$default_port" allowed=10.9.0.1/32
up right

client() { # client NUMBER: peers come and go, the mark and the port change, others look
    local change key
    for ((change = 0; change < changes; change++)); do
        key=$(wg genkey | wg pubkey)
        on left wg set wg0 peer "$key" allowed-ips "10.$1.$change.0/24" endpoint "10.0.0.77:$((change + 1))" persistent-keepalive 1
        on left wg show wg0 dump >/dev/null
        on left "$fullbore" show left >/dev/null
        on left wg set wg0 fwmark "$((change % 2))"
        ((change % 3)) || on left wg set wg0 listen-port "$((20000 + 100 * $1 + change))"
        on left wg set wg0 peer "$key" remove
    done
}

for ((round = 1; round <= rounds; round++)); do
    up left
    iperf left right 10.9.0.2 -t 2 &
    flow=$!
    running=()
    for ((number = 1; number <= clients; number++)); do
        client "$number" &
        running+=($!)
    done
    for process in "${running[@]}"; do wait "$process" || fail "round $round: a change was refused"; done
    wait "$flow" || fail "round $round: the flow broke off"
    ip -n "$prefix-left" link set wg0 down
    ip -n "$prefix-left" link set wg0 up
    pings left 10.9.0.2
    down left
    step "round $round: $((clients * changes)) times a peer came and went, and the router has ended well"
done
down right
