#!/usr/bin/env bash
# nat-stage.sh: each kind of translation, in the kernel: masquerading, forwards of one port, of ranges and to another port, with and
# without hairpin, one to one; IPv4 and IPv6, TCP, UDP and ICMP, with the firewall closed to everything that is not forwarded.
# All of it before a reload, after one, and after many, beside which flows go on while what others are translated by comes and goes.
#
#   outside ── out ─────────── out ── hub ── in ─────────── in ── inside, other (one bridge)
#   198.51.100.2            198.51.100.1     10.0.10.1         10.0.10.2, 10.0.11.2 (`too`)
#   2001:db8:1::2           2001:db8:1::1    fd10::1           fd10::2
#
# timeout: 300
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
        - { name: echo, from: wan, port: udp/7-8, to: 10.0.10.2, address: 198.51.100.1 }
        - { name: echo6, from: wan, port: udp/7-8, to: "fd10::2", address: "2001:db8:1::1" }
        - { name: move, from: wan, port: udp/5000, to: "10.0.10.2:9" }
        - { name: move6, from: wan, port: udp/5000, to: "[fd10::2]:9" }
        - { name: range, from: wan, port: tcp/7000-7002, to: 10.0.10.2 }
        - { name: range6, from: wan, port: tcp/7000-7002, to: "fd10::2" }'
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
        - { allow: [udp/8, icmp], from: wan, to: [10.0.11.2, "fd11::2"] }
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
    for port in 7 8 9; do
        spawn "$name" "$work/udp.log" socat "UDP6-RECVFROM:$port,ipv6only=0,fork" "EXEC:$work/tell $name"
    done
done
for port in 6999 7000 7001 7002 7003; do
    spawn inside "$work/tcp.log" socat "TCP6-LISTEN:$port,ipv6only=0,reuseaddr,fork" "EXEC:$work/tell inside"
done
# Outside counts pings by who seems to ask.
on outside nft -f - <<'NFT'
table inet seen {
    map askers4 { type ipv4_addr : counter; elements = { 198.51.100.1 : "masqueraded", 198.51.100.9 : "mapped" }; }
    map askers6 { type ipv6_addr : counter; elements = { 2001:db8:1::1 : "masqueraded6", 2001:db8:1::9 : "mapped6" }; }
    counter masqueraded { }
    counter mapped { }
    counter masqueraded6 { }
    counter mapped6 { }
    chain input {
        type filter hook input priority 0;
        icmp type echo-request counter name ip saddr map @askers4
        icmpv6 type echo-request counter name ip6 saddr map @askers6
    }
}
NFT
pings_seen() { on outside nft list counter inet seen "$1" | awk '/packets/ {print $2}'; }
listens() { [[ $(on "$1" ss -Hltn 'sport = :7') && $(on "$1" ss -Hlun 'sport = :9') ]]; }
for name in outside inside other; do eventually 5 listens "$name" || fail "$name does not listen"; done
eventually 5 listening inside 7003 || fail "inside does not listen"

# asks FROM KIND ADDRESS PORT: "NODE to ADDRESS" as who answers says, or nothing
asks() {
    local within=""
    [[ $2 == UDP ]] || within=,connect-timeout=1.5
    on "$1" timeout 5 socat -T 1 -t 1 - "$2:$(bracketed "$3"):$4$within" <<<hello 2>/dev/null |
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
nothing() { # nothing FROM KIND ADDRESS PORT…: at once
    local from=$1 kind=$2 address=$3 port asking=()
    shift 3
    for port; do
        asks "$from" "$kind" "$address" "$port" >"$work/answer-$from-$kind-$address-$port" &
        asking+=($!)
    done
    wait "${asking[@]}"
    for port; do [[ ! -s $work/answer-$from-$kind-$address-$port ]] || fail "$kind from $from to $address port $port is answered"; done
}
asks_as() { # asks_as FROM ADDRESS COUNTER: three pings, seen by outside under another address
    local before
    before=$(pings_seen "$3")
    pings "$1" "$2" 3
    [[ $(pings_seen "$3") == $((before + 3)) ]] || fail "outside has not seen the pings of $1 as $3: $before, $(pings_seen "$3")"
}
answered_by() { # answered_by FROM ADDRESS TTL: one that is TTL away from there
    local said
    said=$(on "$1" ping -n -c 1 -W 2 "$2") || fail "$1: ping $2: not answered"
    [[ $said == *" ttl=$3 "* ]] || fail "$1: ping $2: answered by somebody else: $said"
}

at_once() { # each of these commands, at the same time
    local command asking=() number
    for command; do
        $command &
        asking+=($!)
    done
    for number in "${!asking[@]}"; do wait "${asking[number]}" || fail "(${*:number + 1:1})"; done
}

masquerading() {
    at_once \
        "expect inside TCP 198.51.100.2 7 outside 198.51.100.1" "expect inside TCP 2001:db8:1::2 7 outside 2001:db8:1::1" \
        "expect inside UDP 198.51.100.2 7 outside 198.51.100.1" "expect inside UDP 2001:db8:1::2 7 outside 2001:db8:1::1" \
        "asks_as inside 198.51.100.2 masqueraded" "asks_as inside 2001:db8:1::2 masqueraded6"
}

forwarding() { at_once "forwarding_at 198.51.100.1 10.0.10.2 198.51.100.2" "forwarding_at 2001:db8:1::1 fd10::2 2001:db8:1::2"; }
forwarding_at() { # forwarding_at OUTER TARGET OUTSIDE
    local port
    expect outside TCP "$1" 443 inside "$3"
    for port in 7000 7001 7002; do expect outside TCP "$1" $port inside "$3"; done
    for port in 7 8 5000; do expect outside UDP "$1" $port inside "$3"; done
    nothing outside TCP "$1" 7 6999 7003
    nothing outside UDP "$1" 9
    nothing outside TCP "$2" 7 7001
    nothing outside UDP "$2" 7
    pings_not outside "$1" # a forward is of ports
}

hairpin() {
    at_once \
        "expect other TCP 2001:db8:1::1 443 inside fd10::1" "expect inside TCP 198.51.100.1 443 inside 10.0.10.1" \
        "expect inside TCP 2001:db8:1::1 443 inside fd10::1" \
        "nothing inside TCP 10.0.10.1 443" `# the address that the router has there, and its own port` \
        "nothing other TCP 198.51.100.1 443" `# who may not ask the server may not ask it by way of the outer address` \
        "nothing inside TCP 198.51.100.1 7001" `# a forward without hairpin`
}

one_to_one() {
    at_once \
        "expect other TCP 198.51.100.2 7 outside 198.51.100.9" "expect other TCP 2001:db8:1::2 7 outside 2001:db8:1::9" \
        "expect other UDP 198.51.100.2 7 outside 198.51.100.9" "expect other UDP 2001:db8:1::2 7 outside 2001:db8:1::9" \
        "asks_as other 198.51.100.2 mapped" "asks_as other 2001:db8:1::2 mapped6" \
        "expect outside UDP 198.51.100.9 8 other 198.51.100.2" "expect outside UDP 2001:db8:1::9 8 other 2001:db8:1::2" \
        "answered_by outside 198.51.100.9 63" "answered_by outside 2001:db8:1::9 63" \
        "nothing outside TCP 198.51.100.9 7" "nothing outside TCP 2001:db8:1::9 7"
}

all_kinds() {
    masquerading
    step "$1: masquerading: TCP, UDP and ICMP, IPv4 and IPv6"
    forwarding
    step "$1: forwards open the filter, one port or several, and nothing else is open"
    hairpin
    step "$1: hairpin: who is inside asks the outer address, as far as rules let it ask the server"
    one_to_one
    step "$1: one to one: both ways, and the filter decides"
}
all_kinds "at first"

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

# What all of them have counted goes on too, and new flows are translated as before, while a reload moves them all in the file.
all_counted() {
    on hub nft -j list counters table inet fullbore-hub | jq -r '.nftables[].counter | select(. != null) |
        select(.name | test("^(masquerade|(opened-)?forward|one-to-one)")) | "\(.name) \(.packets)"' | sort
}
all_counted >"$work/before"
awk '$1 !~ /-another$/ && $2 == 0 {print; bad = 1} END {exit bad || NR < 20}' "$work/before" || fail "some have counted nothing: $(cat "$work/before")"
reloads "{ to: wan, from: 10.0.12.0/24 }, $masquerade" "
        - { name: another, from: wan, port: tcp/5399, to: \"10.0.11.2:9\" }$bulk$web" "
        - { outside: 198.51.100.8, inside: 10.0.11.3, zone: wan }$one_to_one"
all_counted >"$work/after"
join "$work/before" "$work/after" | awk '$2 != $3 {print; bad = 1} END {exit bad || !NR}' || fail "a reload has changed what was counted"
[[ $(join "$work/before" "$work/after" | wc -l) == $(wc -l <"$work/before") ]] || fail "counters have gone with a reload"
flows_go_on
all_kinds "after a reload"
all_counted >"$work/later"
join "$work/before" "$work/later" | awk '$1 !~ /bulk/ && $3 <= $2 {print; bad = 1} END {exit bad}' || fail "these have counted nothing since the reload"
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
all_kinds "in the end"
all_down
