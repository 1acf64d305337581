#!/usr/bin/env bash
# wg-quick.sh [PROGRAM]: stock wg-quick(8) with Fullbore for WG_QUICK_USERSPACE_IMPLEMENTATION: addresses, a default route by
# policy, Table=, SaveConfig, and back (N-26, P-8).
#
#   office ── wire ───────── wire ── road                 outer: 10.0.0.{1,2}, fd00:aa::{1,2}
#    wg0 192.168.241.1/24, fd00::1/64 · wg0 192.168.241.2/32, fd00::2/128
#    far 10.99.0.1/32, fd99::1/128 (behind the tunnel for road)
#
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly program=${1:-$fullbore}
umask 077
node office road
wire office wire road wire
address office wire 10.0.0.1/24 fd00:aa::1/64
address road wire 10.0.0.2/24 fd00:aa::2/64
address office lo 10.99.0.1/32 fd99::1/128
sysctl_of road net/ipv4/conf/all/rp_filter 0

wg genkey >"$work/office.key"
wg genkey >"$work/road.key"
quick() { on "$1" env PATH="${program%/*}:$PATH" WG_QUICK_USERSPACE_IMPLEMENTATION="${program##*/}" wg-quick "$2" "$work/$1/wg0.conf" >"$work/$1/log" 2>&1; }
up_quick() {
    quick "$1" up || fail "$1: wg-quick up: $(cat "$work/$1/log")"
    [[ -S $work/$1/run/wireguard/wg0.sock ]] || skip "this kernel has WireGuard, which wg-quick prefers"
}
down_quick() {
    quick "$1" down || fail "$1: wg-quick down: $(cat "$work/$1/log")"
    eventually 5 nothing_of "$1" || fail "$1: left after wg-quick down: $(ip netns pids "$prefix-$1"), $(on "$1" ls /run/wireguard)"
}
nothing_of() {
    [[ ! $(ip netns pids "$prefix-$1") && ! -e $work/$1/run/wireguard/wg0.sock ]] && ! on "$1" ip link show wg0 >/dev/null 2>&1
}
state_of() { on "$1" sh -c 'ip rule; ip -6 rule; ip route show table all; ip -6 route show table all | grep -v " pref low"' | sort; }

conf() { # conf NODE OTHER "INTERFACE LINES" "PEER LINES"
    printf '[Interface]\nPrivateKey = %s\n%b\n\n[Peer]\nPublicKey = %s\n%b\n' "$(cat "$work/$1.key")" "$3" \
        "$(wg pubkey <"$work/$2.key")" "$4" >"$work/$1/wg0.conf"
}

conf office road "ListenPort = $default_port\nAddress = 192.168.241.1/24, fd00::1/64" \
    "AllowedIPs = 192.168.241.2/32, fd00::2/128"
up_quick office

# ---- a default route by policy, for both families

before=$(state_of road)
conf road office "Address = 192.168.241.2/32, fd00::2/128\nMTU = 1380" \
    "AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 10.0.0.1:$default_port\nPersistentKeepalive = 25"
up_quick road
mark=$(on road wg show wg0 fwmark)
[[ $mark == 0xca6c ]] || fail "N-26: the mark is $mark"
[[ $(on road ip route show table 51820) == *"default dev wg0"* && $(on road ip -6 rule) == *"not from all fwmark 0xca6c lookup 51820"* ]] ||
    fail "N-26: no routing by policy: $(on road ip rule)"
[[ $(ip -n "$prefix-road" -o link show wg0) == *"mtu 1380"* ]] || fail "wg-quick's MTU is not the link's"
for far in 192.168.241.1 10.99.0.1 fd00::1 fd99::1; do pings road "$far"; done
iperf road office 10.99.0.1 -t 1
step "N-26 everything through the tunnel by policy: $(iperf_value '.end.sum_received.bits_per_second / 1e7 | round / 100') Gbit/s"

# The outer route stays outside of the tunnel, whatever peer and port.
[[ $(on road ip route get 10.0.0.1 mark 51820) == *"dev wire"* ]] || fail "N-26: the endpoint is routed into the tunnel"
down_quick road
[[ $(state_of road) == "$before" ]] || fail "wg-quick down: other routes than before: $(diff <(printf '%s' "$before") <(state_of road))"
step "wg-quick down leaves no rule, no route, no process, no socket"

# ---- Table = off and a table of one's own; over IPv6

conf road office "Address = 192.168.241.2/32\nTable = off" \
    "AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = [fd00:aa::1]:$default_port"
up_quick road
[[ $(on road ip rule | wc -l) == 3 && ! $(on road ip route show dev wg0) ]] || fail "Table = off: $(on road ip rule; on road ip route)"
on road ip route add 10.99.0.1/32 dev wg0
pings road 10.99.0.1
down_quick road
conf road office "Address = 192.168.241.2/32\nTable = 1234" \
    "AllowedIPs = 10.99.0.0/16, 192.168.241.1/32\nEndpoint = [fd00:aa::1]:$default_port"
up_quick road
[[ $(on road ip route show table 1234) == *"10.99.0.0/16 dev wg0"* ]] || fail "Table = 1234: $(on road ip route show table 1234)"
on road ip rule add from 192.168.241.2 table 1234
on road ip route add 192.168.241.1/32 dev wg0
pings road 192.168.241.1
down_quick road
on road ip rule delete from 192.168.241.2 table 1234
step "Table = off, Table = 1234, and an endpoint over IPv6"

# ---- what a wg-quick of a running interface writes down

conf road office "Address = 192.168.241.2/32\nSaveConfig = true" \
    "AllowedIPs = 192.168.241.1/32\nEndpoint = 10.0.0.1:$default_port"
up_quick road
on road wg set wg0 peer "$(wg genkey | wg pubkey)" allowed-ips 10.55.0.0/16 persistent-keepalive 7
pings road 192.168.241.1
down_quick road
for line in "AllowedIPs = 10.55.0.0/16" "PersistentKeepalive = 7"; do
    grep -qFx "$line" "$work/road/wg0.conf" || fail "SaveConfig: no $line in $(cat "$work/road/wg0.conf")"
done
up_quick road
[[ $(on road wg show wg0 peers | wc -l) == 2 ]] || fail "SaveConfig: not what was saved"
pings road 192.168.241.1
down_quick road
down_quick office
step "SaveConfig writes down what wg has changed, and it comes up again"
