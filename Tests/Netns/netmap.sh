#!/usr/bin/env bash
# netmap.sh: two sites whose hosts have the same addresses reach each other by the names that netmap gives them, IPv4 and IPv6,
# both ways: TCP, UDP, fragments, ping, and the errors of hosts and routers on the way; and by other names after a reload.
#
#   left ── lan ───────── lan ── west ── wan ────────── wan ── east ── lan ───────── lan ── right
#   192.168.1.10  192.168.1.1       10.0.0.1    10.0.0.2       192.168.1.1  192.168.1.10
#   fd00:1::10      fd00:1::1                                    fd00:1::1    fd00:1::10
#                        wg0 10.80.0.1 ························ wg0 10.80.0.2
#                            fd80::1                                fd80::2
#   right is 10.99.2.10, fd99:2::10 for the west, and left 10.99.1.10, fd99:1::10 for the others.
#   A third site is south, at west's `far` (10.0.3.1, 10.0.3.3): a router with 192.168.1.10 of its own, 10.99.3.10 for the west.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

[[ ${1:-fullbore} == fullbore ]] || skip "only a router with a file has stages"

node left west east right south
wire left lan west lan
wire west wan east wan
wire east lan right lan
address west wan 10.0.0.1/24
address east wan 10.0.0.2/24
wire west far south wan
address west far 10.0.3.1/24
address south wan 10.0.3.3/24
address south lo 192.168.1.10/32 fd00:1::10/128
for node in west east; do address "$node" lan 192.168.1.1/24 fd00:1::1/64; done
for node in left right; do
    address "$node" lan 192.168.1.10/24 fd00:1::10/64
    ip -n "$prefix-$node" route add default via 192.168.1.1
    ip -n "$prefix-$node" route add default via fd00:1::1
done

site() { # site NODE NUMBER
    interface "$1" fullbore addresses="10.80.0.$2/24 fd80::$2/64" extra="pipeline: [tun, allowed-ips, netmap, wireguard, udp]"
}
knows() { # knows NODE OTHER OTHERS_NUMBER OTHERS_ENDPOINT OTHERS_NAME: hosts of the other's site are 10.99.NAME.0/24
    local maps="{ theirs: 192.168.1.0/24, ours: 10.99.$5.0/24 }, { theirs: 'fd00:1::/64', ours: 'fd99:$5::/64' }"
    peer "$1" "$2" endpoint="$4:$default_port" allowed="10.80.0.$3/32 fd80::$3/128 10.99.$5.0/24 fd99:$5::/64" extra="netmap: { map: [ $maps ] }"
}
site west 1
site east 2
site south 3
knows west east 2 10.0.0.2 2
knows west south 3 10.0.3.3 3
knows east west 1 10.0.0.1 1
knows south west 1 10.0.3.1 1
up west
up east
up south

counters() { # counters NODE: what netmap has counted and dropped, "NAME COUNT" each
    on "$1" "$fullbore" show "$1" --json | jq -r '[.stages[] | select(.name == "netmap") | (.counters + .drops)[] |
        select(.value > 0) | "\(.name) \(.value)"] | join(", ")'
}
expect_counters() {
    local found
    found=$(counters "$1")
    [[ $found == "$2" ]] || fail "$1 has counted: $found, expected: $2"
}

pings left 10.99.2.10
expect_counters west "translated-out 10, translated-in 10"
expect_counters east "translated-out 10, translated-in 10"
pings right 10.99.1.10
pings left fd99:2::10
pings right fd99:1::10
step "ping both ways, and every packet was counted"

large_pings() { # by the first one either end may learn the tunnel's MTU: IPv6 is not cut on the way
    on "$1" ping -q -n -c 2 -i 0.1 -W 1 -s 4000 "$2" >/dev/null || true
    on "$1" ping -q -n -c 3 -i 0.1 -W 5 -s 4000 "$2" | grep -q ' 0% packet loss' || fail "$1: ping -s 4000 $2: some are lost"
}
for to in 10.99.2.10 fd99:2::10; do large_pings left "$to"; done
for to in 10.99.1.10 fd99:1::10; do large_pings right "$to"; done
step "ping in fragments"

random_file "$work/file" 20000000
for to in 10.99.2.10 fd99:2::10; do copy left right "$to" "$work/file"; done
for to in 10.99.1.10 fd99:1::10; do copy right left "$to" "$work/file"; done
step "TCP: 20 MB each way, sha256 equal"

for to in 10.99.2.10 fd99:2::10; do
    iperf left right "$to" -u -b 50M -l 1200 -t 1
    some_udp_arrived
    iperf left right "$to" -u -R -b 50M -l 4000 -t 1 2>"$work/warning" # of fragments
    some_udp_arrived
done
step "UDP both ways, in fragments too"

refused() { # refused NODE SOCKET: a datagram is answered by "port unreachable", which the socket is told of
    local output
    output=$(on "$1" timeout 5 socat -t 2 - "$2" 2>&1 <<<hello || true)
    [[ $output == *"Connection refused"* ]] || fail "$1: $2: $output"
}
refused left UDP4:10.99.2.10:9
refused right UDP4:10.99.1.10:9
refused left 'UDP6:[fd99:2::10]:9'
refused right 'UDP6:[fd99:1::10]:9'
step "a port that is closed at the other site refuses"

told() { # told NODE DESTINATION BY WHAT OPTION…: one ping, answered by an ICMP error from BY
    local node=$1 to=$2 by=$3 what=$4 output
    shift 4
    output=$(on "$node" ping -n -c 1 -W 2 "$@" "$to" || true)
    [[ $output == *"From $by icmp_seq=1 $what"* ]] || fail "$node: ping $*: not told by $by: $output"
}
told left 10.99.2.10 192.168.1.1 "Time to live exceeded" -t 1
told left 10.99.2.10 10.80.0.2 "Time to live exceeded" -t 2
told right 10.99.1.10 10.80.0.1 "Time to live exceeded" -t 2
told left fd99:2::10 fd80::2 "Time exceeded: Hop limit" -t 2
told right fd99:1::10 fd80::1 "Time exceeded: Hop limit" -t 2
step "each hop of a traceroute says who it is"

for end in east right; do ip -n "$prefix-$end" link set lan mtu 1300; done
told left 10.99.2.10 10.80.0.2 "Frag needed and DF set (mtu = 1300)" -M "do" -s 1350
told left fd99:2::10 fd80::2 "Packet too big: mtu=1300" -M "do" -s 1350
for to in 10.99.2.10 fd99:2::10; do
    [[ $(on left ip route get "$to") == *"mtu 1300"* ]] || fail "left has not learned the path's MTU to $to"
    copy left right "$to" "$work/file"
done
step "the path's MTU is learned across, and TCP goes by it"

# ---- Another name for one site, while a flow of the other goes on

echoes south 5301
begin_flow left 10.99.3.10 5301
begin_flow left fd99:3::10 5301
counted() { on west "$fullbore" show west --json | jq '[.stages[] | select(.name == "netmap") | .counters[].value] | add'; }
renames() { # renames NODE OTHER OTHERS_NUMBER OTHERS_ENDPOINT OTHERS_NAME: as knows, while NODE runs
    knows "$@"
    router_file "$1" >"$work/$1/router.yaml"
    on "$1" "$fullbore" reload "$1" >"$work/reload" 2>&1 || fail "$1: $(cat "$work/reload")"
    ! grep -q "nothing has changed" "$work/reload" || fail "$1: the reload changes nothing"
}
for round in {1..10}; do
    before=$(counted)
    renames west east 2 10.0.0.2 $((4 + round % 2 * 2)) # 6, 4, 6, …
    renames east west 1 10.0.0.1 $((5 + round % 2 * 2)) # 7, 5, 7, …
    flows_go_on
    (($(counted) > before)) || fail "round $round: what netmap has counted goes back"
done
pings left 10.99.4.10
pings left fd99:4::10
pings right 10.99.5.10
pings right fd99:5::10
for to in 10.99.2.10 fd99:2::10; do pings_not left "$to"; done
for to in 10.99.1.10 fd99:1::10; do pings_not right "$to"; done
for to in 10.99.4.10 fd99:4::10; do copy left right "$to" "$work/file"; done
for to in 10.99.5.10 fd99:5::10; do copy right left "$to" "$work/file"; done
refused left UDP4:10.99.4.10:9
refused right 'UDP6:[fd99:5::10]:9'
told left 10.99.4.10 10.80.0.2 "Time to live exceeded" -t 2
told right 10.99.5.10 10.80.0.1 "Time to live exceeded" -t 2
told left fd99:4::10 fd80::2 "Time exceeded: Hop limit" -t 2
told right fd99:5::10 fd80::1 "Time exceeded: Hop limit" -t 2
told left 10.99.4.10 10.80.0.2 "Frag needed and DF set (mtu = 1300)" -M "do" -s 1350
told left fd99:4::10 fd80::2 "Packet too big: mtu=1300" -M "do" -s 1350
end_flows
step "other names after a reload, both ways, and errors by them"

netmap_drops() { drops_of "$1" | sed -n 's/^netmap //p'; }
for node in west east south; do [[ ! $(netmap_drops "$node") ]] || fail "$node has dropped: $(netmap_drops "$node")"; done
address east lo 10.99.4.99/32
pings_not_from() { ! on "$1" ping -q -n -c 3 -i 0.1 -W 1 -I "$2" "$3" >/dev/null || fail "$1: $3 answers $2, and must not"; }
pings_not_from east 10.99.4.99 10.99.5.10
[[ $(netmap_drops west) == "source-in-ours 3" ]] || fail "west has dropped: $(netmap_drops west)"
step "who evades the translation does not get in"
all_down
