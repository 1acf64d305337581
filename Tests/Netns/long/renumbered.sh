#!/usr/bin/env bash
# renumbered.sh [RIGHT]: a peer with a name gets another address in the middle of a session, and so does its name: it is found
# there once the session is dead (older than 135 s), and not before.
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.1 and 10.0.0.2, then 10.0.0.3
#    wg0 10.9.0.1/24 ············· wg0 10.9.0.2/24      left's name server: 127.0.0.1
#
# timeout: 300
set -euo pipefail
# shellcheck source=../../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../../etc/lib/tunnel.sh"

readonly right=${1:-fullbore} right_name=right.example
readonly hosts=$work/hosts
readonly dead_after=135 # seconds

node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
interface left fullbore addresses=10.9.0.1/24
interface right "$right" addresses=10.9.0.2/24
peer left right endpoint="$right_name:$default_port" allowed=10.9.0.2/32 keepalive=5
peer right left allowed=10.9.0.1/32
echo "10.0.0.2 $right_name" >"$hosts"
names left "$hosts"
server=$spawned
ask_own_resolver
up right
up left
pings left 10.9.0.2
handshake=$(handshake_of left right)
step "in session at $(endpoint_of left right)"

# Started anew it knows no endpoint of left's: so it says nothing, and has to be found.
down right
ip -n "$prefix-right" address delete 10.0.0.2/24 dev wire
ip -n "$prefix-right" address add 10.0.0.3/24 dev wire
up right
echo "10.0.0.3 $right_name" >"$hosts"
kill -HUP "$server"
sleep $((handshake + dead_after - 5 - $(date +%s)))
expect_endpoint left right "10.0.0.2:$default_port"
step "still looked for where it was, $(($(date +%s) - handshake)) s after the handshake"
found() { [[ $(endpoint_of left right) == "10.0.0.3:$default_port" ]] && (($(handshake_of left right) > handshake)); }
eventually 90 found || fail "not found at its new address: $(tail -n 20 "$work/left/log")"
pings left 10.9.0.2
step "found at $(endpoint_of left right), $(($(handshake_of left right) - handshake)) s after the last handshake"
