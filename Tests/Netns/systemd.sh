#!/usr/bin/env bash
# systemd.sh: etc/systemd/fullbore@.service: a router runs with no more rights than the unit gives it; systemd understands
# all of the unit, and finds it well enclosed (S-34).
#
#   left ── wire ───────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 192.168.241.1/24 ·········· wg0 192.168.241.2/24
#
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly unit=$repo/etc/systemd/fullbore@.service
readonly exposure=30 # tenths: systemd's own estimate, from 0 to 100 for a service that does as it likes

setting() { sed -nE "s/^$1=//p" "$unit"; }

# ---- a router with the unit's rights alone

capabilities=$(setting CapabilityBoundingSet | tr 'A-Z ' 'a-z,' | sed -E 's/(^|,)cap_/\1+/g')
[[ $capabilities == +* && $(setting NoNewPrivileges) == yes && $(setting LimitCORE) == 0 ]] || fail "the unit's rights are not read: $capabilities"
node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
interface left fullbore addresses=192.168.241.1/24 port=500
interface right fullbore addresses=192.168.241.2/24
peer left right endpoint="10.0.0.2:$default_port" allowed=192.168.241.2/32
peer right left endpoint="10.0.0.1:500" allowed=192.168.241.1/32
up right
start=(prlimit --core=0 setpriv --no-new-privs --bounding-set "-all,$capabilities" -- "${start[@]}")
up left
pings left 192.168.241.2
pings right 192.168.241.1
! grep -iE 'warning|error' "$work/left/log" || fail "something of it does not work with the unit's rights"
[[ $(sysctl_of left net/ipv4/ip_forward) == 1 ]] || fail "it cannot switch forwarding on"
told=$(on left ping -n -c 1 -W 2 192.168.241.77 || true) # by a raw socket, opened at start
[[ $told == *"Destination Host Unreachable"* ]] || fail "a packet for nobody is not answered: $told"
down left
step "a router runs with these rights alone: $(setting CapabilityBoundingSet)"

# ---- what systemd says of the unit

command -v systemd-analyze >/dev/null || skip "a router runs with the unit's rights; that systemd understands the unit was not looked at: there is none"
# Everything but the place of the program, which is not installed here.
sed "s|/usr/local/sbin/fullbore|$fullbore|" "$unit" >"$work/fullbore@.service"
systemd-analyze verify --man=no "$work/fullbore@edge.service" >"$work/verify" 2>&1 || fail "systemd-analyze verify: $(cat "$work/verify")"
! grep -F fullbore@ "$work/verify" || fail "systemd-analyze verify"
step "systemd-analyze verify has nothing to say"
systemd-analyze security --no-pager --offline=true --threshold="$exposure" "$work/fullbore@edge.service" >"$work/security" 2>&1 ||
    fail "systemd-analyze security: $(tail -n 3 "$work/security")"
step "$(tail -n1 "$work/security" | sed -E 's/^[^O]*//')"
