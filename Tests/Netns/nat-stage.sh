#!/usr/bin/env bash
# nat-stage.sh: each kind of translation, in the kernel: masquerading, a forward with and without hairpin, one to one, IPv4
# and IPv6, TCP and UDP, with the firewall closed to everything that is not forwarded.
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

interface hub fullbore addresses="10.80.0.1/24" extra='pipeline:
  - firewall:
      rules:
        - { allow: any, from: lan, to: wan }
        - { allow: udp/8, from: wan, to: [10.0.11.2, "fd11::2"] }
  - nat:
      masquerade: [ { to: wan, from: lan } ]
      forwards:
        - { name: web, from: wan, port: tcp/443, to: "10.0.10.2:7", hairpin: true }
        - { name: web6, from: wan, port: tcp/443, to: "[fd10::2]:7", hairpin: true }
        - { name: echo, from: wan, port: udp/7-8, to: 10.0.10.2, address: 198.51.100.1 }
      one-to-one:
        - { outside: 198.51.100.9, inside: 10.0.11.2, zone: wan }
        - { outside: "2001:db8:1::9", inside: "fd11::2", zone: wan }
  - tun
  - allowed-ips
  - wireguard
  - udp
zones:
  wan: { interfaces: [out] }
  lan: { interfaces: [in, too] }
tests:
  - { expect: allow, from: wan, to: self, port: tcp/443 }
  - { expect: deny, from: wan, to: self, port: tcp/7 }'
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

expect other TCP 198.51.100.1 443 inside 10.0.10.1
expect inside TCP 198.51.100.1 443 inside 10.0.10.1
expect inside TCP 2001:db8:1::1 443 inside fd10::1
step "hairpin: who is inside asks the outer address"

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
all_down
