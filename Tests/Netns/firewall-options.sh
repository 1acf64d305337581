#!/usr/bin/env bash
# firewall-options.sh: what the firewall does beside its rules: forged sources against reverse-path strict, loose and off;
# mss-clamp, by what a SYN carries when it arrives; default drop, reject and accept. IPv4 and IPv6, counters exact, each changed by
# reloads beside which TCP flows go on.
#
#   outside ── out ─────────── out ── hub ── in ─────────── in ── inside
#   198.51.100.2            198.51.100.1   10.0.10.1            10.0.10.2
#   2001:db8:1::2           2001:db8:1::1  fd10::1              fd10::2
#                                      │ wg0 10.80.0.1, MTU 1420
#   alice ── far ─────────────────── far   10.80.1.2, whose own wg0 has MTU 1500
#
# timeout: 300
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

command -v nft >/dev/null || skip "needs nft"

node hub outside inside alice
wire outside out hub out
wire hub in inside in
wire alice far hub far
address outside out 198.51.100.2/24 2001:db8:1::2/64
address hub out 198.51.100.1/24 2001:db8:1::1/64
address hub in 10.0.10.1/24 fd10::1/64
address inside in 10.0.10.2/24 fd10::2/64
address alice far 10.0.1.2/24
address hub far 10.0.1.1/24
for name in outside inside; do
    via=198.51.100.1 via6=2001:db8:1::1
    [[ $name == outside ]] || via=10.0.10.1 via6=fd10::1
    on "$name" ip route add default via "$via"
    on "$name" ip -6 route add default via "$via6"
done
for key in all out in; do sysctl_of hub "net/ipv4/conf/$key/rp_filter" 0; done # only the firewall is to judge

options() { # options LINE…: the sections of hub's file, with these lines among the firewall's options
    cat <<YAML
pipeline:
  - firewall:
$(printf '      %s\n' "$@")
      rules:
        - { allow: [tcp/7, udp/7, icmp], from: [wan, vpn], to: lan, name: in }
        - { allow: any, from: lan, to: [wan, vpn], name: out }
  - tun
  - allowed-ips
  - wireguard
  - udp
zones:
  wan: { interfaces: [out] }
  lan: { interfaces: [in] }
  vpn: { tunnels: [wg0] }
YAML
}
interface hub fullbore addresses="10.80.0.1/16 fd80::1/64" extra="$(options "reverse-path: strict")"
interface alice fullbore addresses="10.80.1.2/16 fd80::1:2/64" mtu=1500
peer hub alice allowed="10.80.1.0/24 fd80::1:0/112"
peer alice hub endpoint="10.0.1.1:$default_port" allowed="10.80.0.0/16 10.0.10.0/24 fd80::/64 fd10::/64"
up hub
up alice

reloads() { # reloads LINE…
    option[hub,extra]=$(options "$@")
    router_file hub >"$work/hub/router.yaml"
    on hub "$fullbore" reload hub >"$work/reload" 2>&1 || fail "the reload is refused: $(cat "$work/reload")"
    grep -q "rules in nftables" "$work/reload" || fail "the reload has changed nothing: $(cat "$work/reload")"
}
hits() { # hits COUNTER: packets, as the router tells; nothing where there is no such counter
    on hub "$fullbore" show hub --firewall --json | jq -r --arg counter "$1" '[.rules[] | select(.counter == $counter) | .packets] | add // empty'
}

for name in hub outside inside alice; do
    spawn "$name" "$work/tcp.log" socat TCP6-LISTEN:7,ipv6only=0,reuseaddr,fork EXEC:cat
    spawn "$name" "$work/udp.log" socat UDP6-RECVFROM:7,ipv6only=0,fork EXEC:cat
done
listens() { [[ $(on "$1" ss -Hltn 'sport = :7') && $(on "$1" ss -Hlun 'sport = :7') ]]; }
for name in hub outside inside alice; do eventually 5 listens "$name" || fail "$name does not listen"; done
for address in 198.51.100.2 2001:db8:1::2; do begin_flow inside $address 7 2000; done
for address in 10.0.10.2 fd10::2; do begin_flow alice $address 7 2000; done

# ---- Forged sources: `lan` is of inside's network, to which hub has a route by another interface; to `nowhere` it has none.

readonly lan4=10.0.10.77 lan6=fd10::77 nowhere4=203.0.113.7 nowhere6=2001:db8:ffff::7
on outside ip address add $lan4/32 dev lo
on outside ip address add $nowhere4/32 dev lo
on outside ip address add $lan6/128 dev lo
on outside ip address add $nowhere6/128 dev lo
on inside nft -f - <<NFT
table inet seen {
    counter lan4 { }
    counter lan6 { }
    counter nowhere4 { }
    counter nowhere6 { }
    chain prerouting {
        type filter hook prerouting priority -300;
        ip saddr $lan4 counter name lan4 drop
        ip6 saddr $lan6 counter name lan6 drop
        ip saddr $nowhere4 counter name nowhere4 drop
        ip6 saddr $nowhere6 counter name nowhere6 drop
    }
}
NFT
arrived() { on inside nft list counter inet seen "$1" | awk '/packets/ {print $2}'; }

# forged SOURCE pass|dropped: two UDP datagrams, three pings and a SYN (the next one would be due in 1 s) from there, and what has become of each
forged() {
    local source=$1 to=10.0.10.2 address before caught
    [[ $source == *4 ]] || to=fd10::2
    address=${!source}
    before=$(arrived "$source") caught=$(hits reverse-path)
    for _ in 1 2; do on outside socat -u - "UDP:$(bracketed $to):7,bind=$(bracketed "$address")" <<<forged; done
    on outside ping -n -q -c 3 -i 0.01 -W 0.1 -I "$address" "$to" >/dev/null || true
    on outside timeout 0.5 socat - "TCP:$(bracketed $to):7,bind=$(bracketed "$address")" <<<forged >/dev/null 2>&1 || true
    if [[ $2 == pass ]]; then
        [[ $(arrived "$source") == $((before + 6)) ]] || fail "from $address: $(($(arrived "$source") - before)) of 6 packets have arrived"
        [[ $(hits reverse-path) == "$caught" ]] || fail "from $address: some are counted as dropped"
    else
        [[ $(arrived "$source") == "$before" ]] || fail "from $address: $(($(arrived "$source") - before)) packets have arrived"
        [[ $(hits reverse-path) == $((caught + 6)) ]] || fail "from $address: of 6 packets $(($(hits reverse-path) - caught)) are counted as dropped"
    fi
}
honest() { # who does not lie is not concerned
    local address caught
    caught=$(hits reverse-path)
    for address in 10.0.10.2 fd10::2; do pings outside $address 3; done
    for address in 10.0.10.2 fd10::2; do pings alice $address 3; done
    for address in 10.80.1.2 fd80::1:2; do pings inside $address 3; done
    [[ $(hits reverse-path) == "$caught" ]] || fail "packets with their true source are counted as dropped"
    flows_go_on
}
strict() { forged lan4 dropped; forged lan6 dropped; forged nowhere4 dropped; forged nowhere6 dropped; honest; }
loose() { forged lan4 pass; forged lan6 pass; forged nowhere4 dropped; forged nowhere6 dropped; honest; }
off() { forged lan4 pass; forged lan6 pass; forged nowhere4 pass; forged nowhere6 pass; honest; }

strict
reverse=$(hits reverse-path)
reloads "reverse-path: loose"
[[ $(hits reverse-path) == "$reverse" ]] || fail "the reload has lost what was dropped so far"
loose
reloads "reverse-path: off"
[[ ! $(hits reverse-path) ]] || fail "without reverse-path there is still a counter"
off
reloads "reverse-path: strict"
[[ $(hits reverse-path) == 0 ]] || fail "reverse-path, new again, has counted already"
strict
step "reverse-path: strict, loose and off, changed by reloads"

# ---- The segment size that a SYN carries

# One counter a size of what SYNs carry that arrive.
for name in outside alice inside; do
    on "$name" nft -f - <<'NFT'
table inet sizes {
    counter s1460 { }
    counter s1440 { }
    counter s1380 { }
    counter s1360 { }
    counter others { }
    chain prerouting {
        type filter hook prerouting priority -300;
        meta l4proto != tcp accept
        tcp flags & (syn | rst) != syn accept
        tcp option maxseg size 1460 counter name s1460 accept
        tcp option maxseg size 1440 counter name s1440 accept
        tcp option maxseg size 1380 counter name s1380 accept
        tcp option maxseg size 1360 counter name s1360 accept
        counter name others
    }
}
NFT
done
sizes() { # those that have been seen since the last look: "SIZE…", each once
    on "$1" nft -j reset counters table inet sizes |
        jq -r '[.nftables[].counter | select(. != null and .packets > 0) | .name[1:]] | sort | join(" ")'
}
# syn FROM TO ADDRESS SIZE SIZE: what the SYN and what the answer carries when it arrives
syn() {
    local got
    sizes "$1" >/dev/null && sizes "$2" >/dev/null
    got=$(on "$1" timeout 5 socat -t 2 - "TCP:$(bracketed "$3"):7" <<<hello 2>&1) || true
    [[ $got == hello ]] || fail "$1 → $3: '$got'"
    got=$(sizes "$2")
    [[ $got == "$4" ]] || fail "$1 → $3: the SYN carries $got, expected $4"
    got=$(sizes "$1")
    [[ $got == "$5" ]] || fail "$1 → $3: the answer carries $got, expected $5"
}
clamped() { # hub's route to alice takes 1420 bytes, whichever way the SYN goes; alice and inside have 1500
    syn inside alice 10.80.1.2 1380 1380
    syn inside alice fd80::1:2 1360 1360
    syn alice inside 10.0.10.2 1380 1380
    syn alice inside fd10::2 1360 1360
    syn inside outside 198.51.100.2 1460 1460 # nothing on the way is narrower
    syn outside inside fd10::2 1440 1440
    flows_go_on
}
as_sent() {
    syn inside alice 10.80.1.2 1460 1460
    syn inside alice fd80::1:2 1440 1440
    syn alice inside 10.0.10.2 1460 1460
    syn alice inside fd10::2 1440 1440
    flows_go_on
}

clamped
reloads "mss-clamp: false"
as_sent
reloads "mss-clamp: true" "reverse-path: loose"
clamped
step "mss-clamp: on, off and on again, both ways"

# ---- default

by_default() { # by_default OUTCOME: between zones, and to this host
    local before=() counter
    for counter in default-forward default-input; do before+=("$(hits $counter)"); done
    outcome "$1" outside 10.80.1.2 fd80::1:2 198.51.100.1 2001:db8:1::1
    (($(hits default-forward) >= before[0] + 6)) || fail "default-forward has counted $(($(hits default-forward) - before[0]))"
    (($(hits default-input) >= before[1] + 6)) || fail "default-input has counted $(($(hits default-input) - before[1]))"
    flows_go_on
}
on outside ip route add 10.80.0.0/16 via 198.51.100.1
on outside ip -6 route add fd80::/64 via 2001:db8:1::1
on alice ip route add 198.51.100.0/24 via 10.80.0.1 dev wg0
on alice ip -6 route add 2001:db8:1::/64 dev wg0
on alice wg set wg0 peer "${public_key[hub]}" allowed-ips 10.80.0.0/16,10.0.10.0/24,fd80::/64,fd10::/64,198.51.100.0/24,2001:db8:1::/64
by_default dropped
reloads "default: reject"
by_default rejected
reloads "default: accept"
by_default pass
reloads "default: drop"
by_default dropped
step "default: drop, reject and accept, between zones and to this host"

end_flows
all_down
