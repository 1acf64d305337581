#!/usr/bin/env bash
# confinement.sh: what a running router has given up, and that it does without (S-34, S-13): all its threads have two
# capabilities, no new privileges and a filter of system calls; it dumps no core, changes files in its own folders alone,
# and starts no program. Names, ports, links, roaming, wg and the end go on working.
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 10.9.0.1/24 ············· wg0 10.9.0.2/24      left's name server: 127.0.0.1
#
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

[[ -e /proc/sys/kernel/seccomp/actions_avail ]] || skip "this kernel has no seccomp"
readonly kept=0000000000001400 # cap_net_bind_service and cap_net_admin
readonly right_name=right.example hosts=$work/hosts

node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
echo "10.0.0.2 $right_name" >"$hosts"
names left "$hosts"
ask_own_resolver

confined() { # confined PID: every thread of it
    local status
    for status in /proc/"$1"/task/*/status; do
        for set in CapPrm CapEff; do
            [[ $(sed -nE "s/^$set:\\s*//p" "$status") == "$kept" ]] || fail "$status: $(grep ^Cap "$status")"
        done
        for set in CapInh CapAmb CapBnd; do
            [[ $(sed -nE "s/^$set:\\s*//p" "$status") == 0000000000000000 ]] || fail "$status: $(grep ^Cap "$status")"
        done
        grep -qE '^NoNewPrivs:\s*1$' "$status" || fail "$status: new privileges are possible"
        grep -qE '^Seccomp:\s*2$' "$status" || fail "$status: no filter of system calls"
    done
    [[ $(awk '/^Max core file size/ {print $5, $6}' "/proc/$1/limits") == "0 0" ]] || fail "it may dump core: $(grep core "/proc/$1/limits")"
}

process_of() { # process_of NAME: the drop-in of that name on left
    local pid
    for pid in $(ip netns pids "$prefix-left"); do
        [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") != *" $1 " ]] || echo "$pid"
    done
}
ping_works() { on left ping -q -n -c 1 -W 1 10.9.0.2 >/dev/null; }
no_link() { ! ip -n "$prefix-left" link show "$1" >/dev/null 2>&1; }

interface left fullbore addresses=10.9.0.1/24
interface right fullbore addresses=10.9.0.2/24
peer left right endpoint="$right_name:$default_port" allowed=10.9.0.2/32
peer right left endpoint="10.0.0.1:$default_port" allowed=10.9.0.1/32
rmdir "$work/left/state" # as on a new machine
traces() { ip -n "$prefix-left" address; ip -n "$prefix-left" route show table all; sysctl_of left net/ipv4/ip_forward; }
traces >"$work/before"
up right
up left
pings right 10.9.0.1 # right begins: left has a time stamp to keep
pings left 10.9.0.2
confined "${daemon[left]}"
on left "$fullbore" wg1
confined "$(process_of wg1)"
step "S-34 two capabilities, no new privileges, a filter, no core, in every thread of a router and of a drop-in"

on left wg set wg0 listen-port 51999
pings left 10.9.0.2
on left wg set wg0 listen-port 443
pings left 10.9.0.2
expect_endpoint right left 10.0.0.1:443
on left wg set wg0 fwmark 7
pings left 10.9.0.2
ip -n "$prefix-left" link set wg0 down
ip -n "$prefix-left" link set wg0 up
eventually 3 ping_works || fail "down and up again, and nothing goes through"
step "ports, marks and links change as before"

kill -TERM "$(process_of wg1)"
down left
[[ $(ls -A "$work/left/run/fullbore" 2>/dev/null) == "" && ! -e $work/left/run/wireguard/wg0.sock ]] || fail "left in /run: $(ls -R "$work/left/run")"
eventually 3 no_link wg1 || fail "wg1 does not go"
diff "$work/before" <(traces) || fail "left on the host"
[[ -s $work/left/state/left/timestamps ]] || fail "the peers' time stamps are not kept: $(tail -n 5 "$work/left/log")"
step "and at the end everything is taken back"

if ! grep -q "(Landlock)" "$work/left/log"; then # it would have said that the kernel has none
    down right
    up left
    up right
    pings right 10.9.0.1
    # Another folder in the place of its own: the path is the same, the right to change it was for the other.
    mv "$work/left/state" "$work/left/state.away"
    mkdir -p "$work/left/state/left"
    down left
    [[ ! -e $work/left/state/left/timestamps ]] || fail "a folder that is not its own was changed"
    grep -q "cannot keep the peers' time stamps.*: Permission denied" "$work/left/log" || fail "nothing is said: $(tail -n 5 "$work/left/log")"
    step "S-34 it changes its own folders alone, and says so where it may not"
fi
