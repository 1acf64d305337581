#!/usr/bin/env bash
# firewall-unchanged.sh: a reload that is refused for something else than its rules has not touched the rules, not even for a moment:
# the same handles, the same counters, and nobody gets through that the refused file would have let through. Nor does anybody
# while a reload turns forwarding on together with the rules, or off together with them.
#
#   outside ── out ─────────── out ── hub ── in ─────────── in ── inside
#    198.51.100.2            198.51.100.1   10.0.10.1            10.0.10.2
#    2001:db8:1::2           2001:db8:1::1  fd10::1              fd10::2
#                                      wg0 10.80.0.1
#
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

command -v nft >/dev/null || skip "needs nft"

node hub outside inside
wire outside out hub out
wire hub in inside in
address outside out 198.51.100.2/24 2001:db8:1::2/64
address hub out 198.51.100.1/24 2001:db8:1::1/64
address hub in 10.0.10.1/24 fd10::1/64
address inside in 10.0.10.2/24 fd10::2/64
on outside ip route add default via 198.51.100.1
on outside ip -6 route add default via 2001:db8:1::1
on inside ip route add default via 10.0.10.1
on inside ip -6 route add default via fd10::1

readonly path="tun, allowed-ips, wireguard, udp ]
zones: { wan: { interfaces: [out] }, lan: { interfaces: [in] } }"
readonly closed="pipeline: [ firewall: { rules: [ { allow: any, from: lan, to: wan, name: out }, { deny: icmp, from: wan, to: lan, name: pings } ] }, $path"
readonly open="pipeline: [ firewall: { default: accept, reverse-path: off, rules: [ { allow: any, from: wan, to: any } ] }, $path"
interface hub fullbore addresses="10.80.0.1/24" extra="$closed"
public_key[elsewhere]=$(wg genkey | wg pubkey) # nobody is there
peer hub elsewhere allowed="10.80.0.2/32"
up hub

on inside nft -f - <<'NFT'
table inet seen {
    counter got { }
    chain prerouting { type filter hook prerouting priority -300; ip saddr 198.51.100.2 counter name got; ip6 saddr 2001:db8:1::2 counter name got; }
}
NFT
got() { on inside nft list counter inet seen got | awk '/packets/ {print $2}'; }
hits() { on hub "$fullbore" show hub --firewall --json | jq -r --arg counter "$1" '[.rules[] | select(.counter == $counter) | .packets] | add'; }
state() {
    local family
    on hub nft -a list ruleset
    for family in -4 -6; do
        ip -n "$prefix-hub" "$family" -o address show | awk '{print $2, $4}'
        ip -n "$prefix-hub" "$family" route show table all
    done
    on hub sh -c 'cd /proc/sys/net && grep . ipv4/ip_forward ipv6/conf/all/forwarding'
}
refused() { # refused TEXT: the file as it stands now
    local status=0
    router_file hub >"$work/hub/router.yaml"
    on hub "$fullbore" reload hub >"$work/reload" 2>&1 || status=$?
    [[ $status == 1 ]] || fail "status $status: $(cat "$work/reload")"
    grep -qF -- "$1" "$work/reload" || fail "no '$1' in: $(cat "$work/reload")"
}
reloads() {
    router_file hub >"$work/hub/router.yaml"
    on hub "$fullbore" reload hub >"$work/reload" 2>&1 || fail "$(cat "$work/reload")"
}
knock() { # pings from outside all the time, until quiet; none of them is to arrive
    spawn outside "$work/knock4" ping -n -q -i 0.002 10.0.10.2
    knocking=("$spawned")
    spawn outside "$work/knock6" ping -n -q -i 0.002 fd10::2
    knocking+=("$spawned")
    before=$(got)
}
quiet() { # quiet WHAT
    local pid
    for pid in "${knocking[@]}"; do
        kill -INT "$pid"
        ends "$pid" 5
    done
    sent=$(sed -nE 's/^([0-9]+) packets transmitted.*/\1/p' "$work/knock4" "$work/knock6" | awk '{sum += $1} END {print sum}')
    [[ $(got) == "$before" ]] || fail "$1: $(($(got) - before)) of $sent pings have got through"
    ((sent > 50)) || fail "$1: only $sent pings were sent"
}

pings inside 198.51.100.2 3
pings inside 2001:db8:1::2 3
pings_not outside 10.0.10.2
for counter in rule-out rule-pings; do (($(hits $counter) > 0)) || fail "$counter has counted nothing"; done

# ---- What the host refuses: a route that another interface has

sysctl_of hub net/ipv4/ip_forward | grep -qx 1 || fail "the router does not forward"
peer hub elsewhere allowed="10.80.0.2/32 10.0.10.0/24"
option[hub,extra]=$open
state >"$work/before"
refused "wg0: cannot add route 10.0.10.0/24: File exists"
state | diff "$work/before" - || fail "a reload that was refused has touched something"
step "refused for a route: the same rules, handles and counters"
knock
for ((round = 0; round < 20; round++)); do refused "wg0: cannot add route 10.0.10.0/24: File exists"; done
quiet "a reload that is refused for a route"
step "20 of them: none of $sent pings has got through"

# ---- Forwarding that cannot be turned on

peer hub elsewhere allowed="10.80.0.2/32"
option[hub,extra]="$closed
forwarding: off"
reloads
sysctl_of hub net/ipv4/ip_forward | grep -qx 0 || fail "forwarding: off leaves it on"
as_router() { nsenter --target "${daemon[hub]}" --mount --net -- "$@"; }
for key in ipv4/ip_forward ipv6/conf/all/forwarding; do
    as_router sh -c "mount --bind /proc/sys/net/$key /proc/sys/net/$key && mount -o remount,bind,ro /proc/sys/net/$key"
    option[hub,extra]=$open
    option[hub,addresses]="10.80.0.1/24 10.81.0.1/24"
    state >"$work/before"
    refused "cannot set net/$key to 1: Read-only file system"
    state | diff "$work/before" - || fail "a reload that was refused has touched something"
    as_router umount "/proc/sys/net/$key"
done
option[hub,addresses]=10.80.0.1/24
step "refused for forwarding: the same rules, handles and counters"

# ---- Forwarding goes on after the rules, and off before them

knock
for ((round = 0; round < 10; round++)); do
    option[hub,extra]="pipeline: [ $path
forwarding: off"
    reloads
    ! on hub nft list table inet fullbore-hub >/dev/null 2>&1 || fail "without stages there is a table"
    option[hub,extra]=$closed
    reloads
    sysctl_of hub net/ipv4/ip_forward | grep -qx 1 || fail "the router does not forward"
done
quiet "forwarding on and off"
pings inside 198.51.100.2 3
step "forwarding and the rules, on and off 10 times: none of $sent pings has got through"
all_down
