#!/usr/bin/env bash
# listen-port.sh: an interface goes from one port to another and back, by wg and by reloads, behind a firewall that drops by default.
# At no moment are both ports closed, and for a moment both are open, so that the rules lose no datagram of a peer: neither one
# that is sent to the old port while it is still served, nor one to the new port from a peer that has heard of it already.
#
#   stranger ── far ─────────── far ── hub ── near ─────────── near ── alice
#    10.0.2.2, fd02::2        10.0.2.1     10.0.1.1           10.0.1.2
#                                          wg0 10.80.0.1      wg0 10.80.0.2
#
# The stranger sends to both ports all the time, from a new port of its own each time: nothing of it belongs to a flow that the
# rules have let through before.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

command -v nft >/dev/null || skip "needs nft"
command -v python3 >/dev/null || skip "needs python3"

readonly moves=10 other_port=4444
node hub alice stranger
wire hub near alice near
wire hub far stranger far
address hub near 10.0.1.1/24
address alice near 10.0.1.2/24
address hub far 10.0.2.1/24 fd02::1/64
address stranger far 10.0.2.2/24 fd02::2/64
interface hub fullbore addresses="10.80.0.1/24" workers=2 extra="pipeline: [ firewall: { rules: [ { allow: any, from: alice, to: self } ] }, tun, allowed-ips, wireguard, udp ]
zones: { wan: { interfaces: [near, far] } }"
interface alice fullbore addresses="10.80.0.2/24"
peer hub alice endpoint="10.0.1.2:$default_port" allowed="10.80.0.2/32"
peer alice hub endpoint="10.0.1.1:$default_port" allowed="10.80.0.1/32"
up hub
up alice
pings hub 10.80.0.2 1
session=$(handshake_of hub alice)
echoes hub 5301
echoes alice 5302
begin_flow alice 10.80.0.1 5301 2000
begin_flow hub 10.80.0.2 5302 2000

# What comes, and what the router's firewall has let through: its chain is before the second.
on hub nft -f - <<NFT
table inet seen {
    counter sent { }
    counter accepted { }
    chain prerouting { type filter hook prerouting priority 0; iifname far udp dport { $default_port, $other_port } counter name sent; }
    chain input { type filter hook input priority 10; iifname far udp dport { $default_port, $other_port } counter name accepted; }
}
NFT
seen() { on hub nft list counter inet seen "$1" | awk '/packets/ {print $2}'; }

cat >"$work/pairs.py" <<'PYTHON'
# pairs.py STOP ADDRESS OLD NEW: a datagram to each port, the old one first, until STOP is there.
import os, socket, sys
stop, address, ports = sys.argv[1], sys.argv[2], [int(port) for port in sys.argv[3:]]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
while not os.path.exists(stop):
    sender = socket.socket(family, socket.SOCK_DGRAM)
    for port in ports:
        try:
            sender.sendto(b"not for you", (address, port))
        except ConnectionRefusedError:  # what the kernel has heard of an earlier one
            pass
    sender.close()
PYTHON
more_than() { (($(seen sent) > $1)); }

by_wg() { on hub wg set wg0 listen-port "$1"; }
by_reload() {
    option[hub,port]=$1
    router_file hub >"$work/hub/router.yaml"
    on hub "$fullbore" reload hub >"$work/reload" || fail "$(cat "$work/reload")"
}

for how in by_wg by_reload; do
    overlap=0 old=$default_port new=$other_port
    for ((move = 0; move < moves; move++)); do
        address=10.0.2.1
        ((move % 2)) || address=fd02::1
        sent=$(seen sent) accepted=$(seen accepted)
        rm -f "$work/stop"
        spawn stranger "$work/pairs.log" python3 "$work/pairs.py" "$work/stop" "$address" "$old" "$new"
        eventually 5 more_than $((sent + 100)) || fail "the stranger does not send: $(cat "$work/pairs.log")"
        $how "$new"
        after=$(seen sent)
        eventually 5 more_than $((after + 100)) || fail "the stranger does not send: $(cat "$work/pairs.log")"
        touch "$work/stop"
        ends "$spawned" 5
        [[ $ended == 0 ]] || fail "$(cat "$work/pairs.log")"
        pairs=$((($(seen sent) - sent) / 2)) accepted=$(($(seen accepted) - accepted))
        ((accepted >= pairs)) || fail "$how, move $move: of $pairs pairs $((pairs - accepted)) at least have met two closed ports"
        overlap=$((overlap + accepted - pairs))
        [[ $(on hub wg show wg0 listen-port) == "$new" ]] || fail "$how, move $move: the port is not $new"
        pings hub 10.80.0.2 1 # from here alice learns of the port
        expect_endpoint alice hub "10.0.1.1:$new"
        flows_go_on
        read -r old new <<<"$new $old"
    done
    ((overlap >= moves)) || fail "$how: in $moves moves only $overlap times were both ports open"
    on hub nft list table inet fullbore-hub | grep -q "udp dport $old counter name \"listen-ports\" accept" || fail "$how: not the one port is open in the end"
    step "$how: $moves moves, no moment without an open port, $overlap datagrams to the other one while both were open"
done
[[ $(handshake_of hub alice) == "$session" ]] || fail "the session is another"
end_flows
all_down
