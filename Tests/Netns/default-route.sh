#!/usr/bin/env bash
# default-route.sh [LEFT [RIGHT]]: `routes: true` and a peer with 0.0.0.0/0 and ::/0: everything that has no better route goes
# into the tunnel, but for the tunnel's own datagrams, by a mark (N-23, S-26); and every trace is taken back, also those of a
# router that was killed.
#
#   left ── wire ─────────── left ── gate ── right ─────────── wire ── right      10.0.0.{1,254}, 10.0.1.{254,2}
#    wg0 10.9.0.1/24, fd09::1/64 ······································ wg0 10.9.0.2/24, fd09::2/64
#                                                                  lo 198.51.100.9, 2001:db8:9::9
#
# right's endpoint is reached by left's default route alone, and gate knows nothing of what stands on right's lo.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-fullbore}
[[ $left == fullbore ]] || skip "others leave routes to wg-quick (see wg-quick.sh)"
readonly first_mark=0xca6c second_mark=0xca6d

node left gate right
wire left wire gate left
wire gate right right wire
address left wire 10.0.0.1/24 fd00:a::1/64
address gate left 10.0.0.254/24 fd00:a::fe/64
address gate right 10.0.1.254/24
address right wire 10.0.1.2/24
address right lo 198.51.100.9/32 2001:db8:9::9/128
sysctl_of gate net/ipv4/ip_forward 1
on_left() { ip -n "$prefix-left" "$@"; }
on_left route add default via 10.0.0.254
on_left -6 route add default via fd00:a::fe
ip -n "$prefix-right" route add default via 10.0.1.254
sysctl_of left net/ipv4/conf/all/rp_filter 0
sysctl_of left net/ipv4/conf/wire/rp_filter 1

traces() {
    on_left rule
    on_left -6 rule
    on_left route show table all
    on_left -6 route show table all | grep -v "proto kernel" || true
    for interface in all default wire; do sysctl_of left "net/ipv4/conf/$interface/rp_filter"; done
}
traces >"$work/before"
way() { # way ADDRESS [mark MARK]: the interface that left would send by
    on_left route get "$@" | sed -nE 's/.* dev ([^ ]+).*/\1/p'
}

interface left "$left" addresses="10.9.0.1/24 fd09::1/64"
interface right "$right" addresses="10.9.0.2/24 fd09::2/64"
peer left right endpoint="10.0.1.2:$default_port" allowed="0.0.0.0/0 ::/0"
peer right left allowed="10.9.0.1/32 fd09::1/128"
up right
up left
pings left 198.51.100.9
pings left 2001:db8:9::9
iperf left right 198.51.100.9 -t 1
[[ $(on left wg show wg0 fwmark) == "$first_mark" ]] || fail "N-26 wg0's mark is $(on left wg show wg0 fwmark)"
step "N-26 the default routes of both families go into the tunnel, with a strict reverse path filter on the way out"

[[ $(way 198.51.100.9) == wg0 && $(way 2001:db8:9::9) == wg0 ]] || fail "the way out is $(way 198.51.100.9), $(way 2001:db8:9::9)"
[[ $(way 10.0.1.2 mark "$first_mark") == wire ]] || fail "the tunnel's own datagrams go by $(way 10.0.1.2 mark "$first_mark")"
[[ $(way 10.0.0.254) == wire && $(way fd00:a::fe) == wire ]] || fail "a better route than the default is passed over"
pings left 10.0.0.254
step "what has a better route keeps it"

! on left wg set wg0 fwmark 5 2>"$work/error" || fail "the mark that the default route goes by can be changed"
grep -q "in use\|busy" "$work/error" || fail "wg set fwmark: $(cat "$work/error")"
on left wg set wg0 fwmark 0 || fail "wg set fwmark 0, as setconf has it, is refused"
[[ $(on left wg show wg0 fwmark) == "$first_mark" ]] || fail "the mark has gone"
pings left 198.51.100.9
step "the mark stays what it is"

down left
traces >"$work/after"
diff "$work/before" "$work/after" || fail "left behind, see above"
step "everything is taken back"

on_left route add 203.0.113.0/24 dev wire table $((first_mark))
up left
[[ $(on left wg show wg0 fwmark) == "$second_mark" ]] || fail "somebody's table is used: mark $(on left wg show wg0 fwmark)"
pings left 198.51.100.9
down left
on_left route delete 203.0.113.0/24 dev wire table $((first_mark))
diff "$work/before" <(traces) || fail "left behind, see above"
step "a table that somebody uses is left alone"

# What is under /proc/sys stays when a router is killed, so this comes last.
rules() { on_left rule && on_left -6 rule; }
up left
while_up=$(rules)
kill -9 "${daemon[left]}"
ends "${daemon[left]}" 5
up left
pings left 198.51.100.9
pings left 2001:db8:9::9
[[ $(rules) == "$while_up" ]] || fail "after kill -9 the rules are: $(rules)"
down left
[[ $(rules) == "$(grep -E '^[0-9]+:' "$work/before")" ]] || fail "after kill -9 and another run there are rules left: $(rules)"
step "what a killed router has left goes with the next one"
