#!/usr/bin/env bash
# nat-stage.sh: each kind of translation, in the kernel: masquerading, a forward with and without hairpin, one to one, IPv4
# and IPv6, TCP and UDP, with the firewall closed to everything that is not forwarded. Flows go on while what others are
# translated by comes and goes.
#
#   outside ── out ─────────── out ── hub ── in ─────────── in ── inside, other (one bridge)
#   198.51.100.2            198.51.100.1     10.0.10.1         10.0.10.2, 10.0.11.2 (`too`)
#   2001:db8:1::2           2001:db8:1::1    fd10::1           fd10::2
#
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

node hub outside inside other
wire outside out hub out
wire hub in inside in
wire hub too other too
address outside out 198.51.100.2/24 2001:db8:1::2/64
address hub out 198.51.100.1/24 198.51.100.9/24 2001:db8:1::1/64 2001:db8:1::9/64
on hub ip -6 address change 2001:db8:1::9/64 dev out preferred_lft 0 # so that nobody masquerades as it
address hub in 10.0.10.1/24 fd10::1/64
address inside in 10.0.10.2/24 fd10::2/64
address hub too 10.0.11.1/24 fd11::1/64
address other too 10.0.11.2/24 fd11::2/64
for name in inside other; do
    device=in net=10
    [[ $name == inside ]] || device=too net=11
    on "$name" ip route add default via "10.0.$net.1" dev "$device"
    on "$name" ip -6 route add default via "fd$net::1" dev "$device"
done

readonly masquerade='{ to: wan, from: lan }'
readonly web='
        - { name: web, from: wan, port: tcp/443, to: "10.0.10.2:7", hairpin: true }
        - { name: web6, from: wan, port: tcp/443, to: "[fd10::2]:7", hairpin: true }
        - { name: echo, from: wan, port: udp/7-8, to: 10.0.10.2, address: 198.51.100.1 }'
readonly bulk='
        - { name: bulk, from: wan, port: tcp/5400, to: "10.0.10.2:5301" }
        - { name: bulk6, from: wan, port: tcp/5400, to: "[fd10::2]:5301" }'
readonly one_to_one='
        - { outside: 198.51.100.9, inside: 10.0.11.2, zone: wan }
        - { outside: "2001:db8:1::9", inside: "fd11::2", zone: wan }'
translations() { # translations MASQUERADE FORWARDS ONE-TO-ONE: the sections of hub's file
    cat <<YAML
pipeline:
  - firewall:
      rules:
        - { deny: any, from: 10.0.11.2, to: 10.0.10.2 }
        - { allow: any, from: lan, to: wan }
        - { allow: udp/8, from: wan, to: [10.0.11.2, "fd11::2"] }
  - nat:
      masquerade: [ $1 ]
      forwards: ${2:-[]}
      one-to-one: ${3:-[]}
  - tun
  - allowed-ips
  - wireguard
  - udp
zones:
  wan: { interfaces: [out] }
  lan: { interfaces: [in, too] }
tests:
  - { expect: deny, from: wan, to: self, port: tcp/7 }
YAML
}
interface hub fullbore addresses="10.80.0.1/24" extra="$(translations "$masquerade" "$web$bulk" "$one_to_one")
  - { expect: allow, from: wan, to: self, port: tcp/443 }"
up hub

# Who answers tells who has asked.
# shellcheck disable=SC2016 # expands in the script
printf '#!/bin/sh\nread -r _\necho "$1 to $SOCAT_PEERADDR"\n' >"$work/tell"
chmod +x "$work/tell"
for name in outside inside other; do
    spawn "$name" "$work/tcp.log" socat TCP6-LISTEN:7,ipv6only=0,reuseaddr,fork "EXEC:$work/tell $name"
    for port in 7 8; do
        spawn "$name" "$work/udp.log" socat "UDP6-RECVFROM:$port,ipv6only=0,fork" "EXEC:$work/tell $name"
    done
done
listens() { [[ $(on "$1" ss -Hltn 'sport = :7') && $(on "$1" ss -Hlun 'sport = :8') ]]; }
for name in outside inside other; do eventually 5 listens "$name" || fail "$name does not listen"; done

# asks FROM KIND ADDRESS PORT: "NODE to ADDRESS" as who answers says, or nothing
asks() {
    on "$1" timeout 2 socat -T 1 - "$2:$(bracketed "$3"):$4" <<<hello 2>/dev/null |
        sed -E 's/\[(0000:0000:0000:0000:0000:ffff:)?([0-9a-f:]+)\]/\2/' || true
}
plain() { # an address as socat writes it, in full
    if [[ $1 == *:* ]]; then python3 -c 'import ipaddress, sys; print(ipaddress.ip_address(sys.argv[1]).exploded)' "$1"; else
        python3 -c 'import sys; a = [int(x) for x in sys.argv[1].split(".")]; print("%02x%02x:%02x%02x" % tuple(a))' "$1"; fi
}
expect() { # expect FROM KIND ADDRESS PORT NODE SEEN
    local answer
    answer=$(asks "$1" "$2" "$3" "$4")
    [[ $answer == "$5 to $(plain "$6")" ]] || fail "$2 from $1 to $3 port $4: '$answer', expected '$5 to $(plain "$6")'"
}
nothing() { [[ ! $(asks "$1" "$2" "$3" "$4") ]] || fail "$2 from $1 to $3 port $4 is answered"; }

for kind in TCP UDP; do
    expect inside $kind 198.51.100.2 7 outside 198.51.100.1
    expect inside $kind 2001:db8:1::2 7 outside 2001:db8:1::1
done
pings inside 198.51.100.2 1
pings inside 2001:db8:1::2 1
step "masquerading: TCP, UDP and ICMP, IPv4 and IPv6"

expect outside TCP 198.51.100.1 443 inside 198.51.100.2
expect outside TCP 2001:db8:1::1 443 inside 2001:db8:1::2
expect outside UDP 198.51.100.1 7 inside 198.51.100.2
expect outside UDP 198.51.100.1 8 inside 198.51.100.2
nothing outside TCP 198.51.100.1 7
nothing outside TCP 10.0.10.2 7
step "forwards open the filter, and nothing else is open"

expect other TCP 2001:db8:1::1 443 inside fd10::1
expect inside TCP 198.51.100.1 443 inside 10.0.10.1
expect inside TCP 2001:db8:1::1 443 inside fd10::1
nothing inside TCP 10.0.10.1 443 # the router's own address there, and its own port
nothing other TCP 198.51.100.1 443 # who may not ask the server may not ask it by way of the outer address
step "hairpin: who is inside asks the outer address, as far as rules let it ask the server"

for kind in TCP UDP; do
    expect other $kind 198.51.100.2 7 outside 198.51.100.9
    expect other $kind 2001:db8:1::2 7 outside 2001:db8:1::9
done
expect outside UDP 198.51.100.9 8 other 198.51.100.2
expect outside UDP 2001:db8:1::9 8 other 2001:db8:1::2
nothing outside TCP 198.51.100.9 7
step "one to one: both ways, and the filter decides"

on hub "$fullbore" show hub --firewall >"$work/shown"
grep -q "router.yaml:[0-9]* *forward tcp/443 from wan to 10.0.10.2:7, hairpin" "$work/shown" || fail "$(cat "$work/shown")"

# ---- Flows that go on while others' translations come and go

for name in outside inside; do echoes "$name" 5301; done
begin_flow inside 198.51.100.2 5301
begin_flow inside 2001:db8:1::2 5301
begin_flow outside 198.51.100.1 5400
begin_flow outside 2001:db8:1::1 5400

reloads() { # reloads MASQUERADE FORWARDS ONE-TO-ONE
    option[hub,extra]=$(translations "$@")
    router_file hub >"$work/hub/router.yaml"
    on hub "$fullbore" reload hub >"$work/reload" 2>&1 || fail "the reload is refused: $(cat "$work/reload")"
    grep -q "rules in nftables" "$work/reload" || fail "the reload has changed nothing: $(cat "$work/reload")"
}
counted() { # what has counted the flows: the translations that have begun them, and the filter
    on hub nft -j list counters table inet fullbore-hub | jq -r '.nftables[].counter | select(. != null) |
        select(.name | test("^(masquerade-to-wan-from-lan.*|(opened-)?forward-bulk6?)$")) | "\(.name) \(.packets)"' | sort
}
counted >"$work/counted"
[[ $(grep -cE '^(opened-)?forward-bulk6? 1$' "$work/counted") == 4 ]] || fail "the forwards have not counted their flows: $(cat "$work/counted")"
readonly rounds=30
for ((round = 0; round < rounds; round++)); do
    case $((round % 5)) in
        0) reloads "$masquerade" "$bulk" "" ;;
        1) reloads "$masquerade, { to: lan, from: wan }" "$web$bulk" "" ;; # the forwards' own flows, were they new
        2) reloads "{ to: wan, from: 10.0.11.0/24 }, $masquerade" "$bulk" "$one_to_one" ;;
        3) reloads "$masquerade" "$bulk" "
        - { outside: 198.51.100.1, inside: 10.0.11.2, zone: wan }" ;;
        4) reloads "$masquerade" "
        - { name: another, from: wan, port: tcp/5399, to: \"10.0.11.2:7\" }$bulk" "" ;;
    esac
    ((round % 5)) || flows_go_on
done
counted | diff "$work/counted" - || fail "the reloads have lost what was counted, or flows have begun anew"
flows_go_on
step "$rounds reloads beside four flows"
# Not even the rule that has begun a flow is asked again.
reloads "" "" ""
flows_go_on
nothing outside TCP 198.51.100.1 443
end_flows
reloads "$masquerade" "$web$bulk" "$one_to_one"
expect outside TCP 2001:db8:1::1 443 inside 2001:db8:1::2
expect inside TCP 198.51.100.2 7 outside 198.51.100.1
all_down
