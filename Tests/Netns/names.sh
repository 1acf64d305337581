#!/usr/bin/env bash
# names.sh [RIGHT]: an endpoint that is a name: not known at first, then with two addresses of which one is dead, then with
# none that answers until the name moves. A session is found each time, and an endpoint that `wg` sets ends the search.
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}, fd00:aa::{1,2}
#    wg0 10.9.0.1/24 ············· wg0 10.9.0.2/24      left's name server: 127.0.0.1
#
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly right=${1:-fullbore} right_name=right.example
readonly hosts=$work/hosts

node left right
wire left wire right wire
address left wire 10.0.0.1/24 fd00:aa::1/64
address right wire 10.0.0.2/24 fd00:aa::2/64
interface left fullbore addresses=10.9.0.1/24
interface right "$right" addresses=10.9.0.2/24
peer left right endpoint="$right_name:$default_port" allowed=10.9.0.2/32 keepalive=5
peer right left allowed=10.9.0.1/32
up right
ask_own_resolver

has_session() { (($(handshake_of left right) > 0)); }
logged() { grep -q "$1" "$work/left/log"; }

# ---- not known, then one address without anybody, and one with
: >"$hosts"
names left "$hosts"
server=$spawned
up left
eventually 5 logged "cannot look up" || fail "nobody says that the name is not known: $(cat "$work/left/log")"
printf 'fd00:aa::99 %s\n10.0.0.2 %s\n' "$right_name" "$right_name" >"$hosts"
kill -HUP "$server"
eventually 40 has_session || fail "not found at its second address: $(cat "$work/left/log")"
logged "$right_name:$default_port is \\[fd00:aa::99\\]:$default_port" || fail "IPv6 had not the first turn: $(cat "$work/left/log")"
expect_endpoint left right "10.0.0.2:$default_port"
pings left 10.9.0.2
step "A and AAAA have their turn until one answers"
down left

# ---- an address where nobody is, and then another one
printf '10.0.0.99 %s\n' "$right_name" >"$hosts"
kill -HUP "$server"
up left
eventually 5 logged "is 10.0.0.99" || fail "the first address is not looked up: $(cat "$work/left/log")"
printf '10.0.0.2 %s\n' "$right_name" >"$hosts"
kill -HUP "$server"
eventually 60 has_session || fail "not looked up again: $(cat "$work/left/log")"
expect_endpoint left right "10.0.0.2:$default_port"
pings left 10.9.0.2
step "a name that nobody answers at is looked up again"
down left

# ---- whoever says where the peer is has the last word
down right # which would have begun a handshake of its own, and been followed
printf '10.0.0.98 %s\n' "$right_name" >"$hosts"
kill -HUP "$server"
up left
eventually 5 logged "is 10.0.0.98" || fail "the address is not looked up: $(cat "$work/left/log")"
on left wg set wg0 peer "${public_key[right]}" endpoint "10.0.0.99:$default_port"
sleep 16 # in which another address would have had its turn, or the same one
expect_endpoint left right "10.0.0.99:$default_port"
! logged "no answer, trying" || fail "it is still looked for: $(cat "$work/left/log")"
down left
step "an endpoint that wg sets ends the search"
