#!/usr/bin/env bash
# firewall.sh: each kind of rule, in the kernel: TCP, UDP and ICMP, IPv4 and IPv6, both directions, before and after reloads beside
# which TCP flows go on and counters are kept; rules about peers follow their allowed-ips; after kill -9 the rules stand, and
# the next start takes them over.
#
#   outside ── out ─────────── out ── hub ── in ─────────── in ── inside
#    198.51.100.2            198.51.100.1   10.0.10.1            10.0.10.2
#                                      │ wg0 10.80.0.1, listening on `far`
#   alice, carol ─ far ──────────── far│     alice 10.80.1.2, carol 10.80.3.2 (a tunnel each)
#
# timeout: 300
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

command -v nft >/dev/null || skip "needs nft"

node hub outside inside alice carol
wire outside out hub out
wire hub in inside in
wire alice far hub far
wire carol far hub near
address outside out 198.51.100.2/24 2001:db8:1::2/64
address hub out 198.51.100.1/24 2001:db8:1::1/64
address hub in 10.0.10.1/24 fd10::1/64
address inside in 10.0.10.2/24 fd10::2/64
address alice far 10.0.1.2/24
address hub far 10.0.1.1/24
address carol far 10.0.2.2/24
address hub near 10.0.2.1/24
on outside ip route add default via 198.51.100.1
on outside ip -6 route add default via 2001:db8:1::1
on inside ip route add default via 10.0.10.1
on inside ip -6 route add default via fd10::1

rules() { # the sections of hub's file; $1: more rules
    cat <<YAML
pipeline:
  - firewall:
      default: drop
      services: { echo: [tcp/7, udp/7] }
      rules:
        - { allow: any, from: lan, to: wan, name: lan-out }
        - { allow: [echo, icmp], from: admins, to: [lan, self], name: admins-in }
        - { reject: any, from: vpn, to: self, name: not-self }
        - { deny: any, from: vpn, to: [10.0.10.0/24, "fd10::/64"], log: 5/minute, name: no-cameras }
        - { deny: tcp/9, from: self, to: wan, name: no-discard }
${1:-}
  - tun
  - allowed-ips
  - wireguard
  - udp
zones:
  wan: { interfaces: [out] }
  lan: { interfaces: ["in*"] }
  vpn: { tunnels: [wg0] }
  admins: { peers: [alice] }
tests:
  - { expect: deny, from: carol, to: "lan:10.0.10.2", port: tcp/7 }
  - { expect: allow, from: alice, to: "lan:10.0.10.2", port: tcp/7 }
YAML
}

interface hub fullbore addresses="10.80.0.1/16 fd80::1/64" workers=2 extra="$(rules)"
interface alice fullbore addresses="10.80.1.2/16 fd80::1:2/64"
interface carol fullbore addresses="10.80.3.2/16 fd80::3:2/64"
peer hub alice allowed="10.80.1.0/24 fd80::1:0/112"
peer hub carol allowed="10.80.3.0/24 fd80::3:0/112"
peer alice hub endpoint="10.0.1.1:$default_port" allowed="10.80.0.0/16 10.0.10.0/24 fd80::/64 fd10::/64"
peer carol hub endpoint="10.0.2.1:$default_port" allowed="10.80.0.0/16 10.0.10.0/24 fd80::/64 fd10::/64"
up hub
up alice
up carol

# Who listens: an echo on TCP and UDP port 7, everywhere; TCP port 9 outside.
for name in hub outside inside alice carol; do
    spawn "$name" "$work/echo-tcp.log" socat TCP6-LISTEN:7,ipv6only=0,reuseaddr,fork EXEC:cat
    spawn "$name" "$work/echo-udp.log" socat UDP6-RECVFROM:7,ipv6only=0,fork EXEC:cat
done
spawn outside "$work/discard.log" socat TCP6-LISTEN:9,ipv6only=0,reuseaddr,fork EXEC:cat
echoes() { [[ $(on "$1" ss -Hltn 'sport = :7') && $(on "$1" ss -Hlun 'sport = :7') ]]; }
for name in hub outside inside alice carol; do eventually 5 echoes "$name" || fail "$name does not listen"; done

hits() { # hits COUNTER: packets, as the router tells
    on hub "$fullbore" show hub --firewall --json | jq -r --arg counter "$1" '[.rules[] | select(.counter == $counter) | .packets] | add'
}

all_kinds() {
    outcome pass inside 198.51.100.2 2001:db8:1::2
    outcome dropped outside 10.0.10.2 fd10::2
    outcome dropped outside 198.51.100.1 2001:db8:1::1
    outcome pass alice 10.0.10.2 fd10::2
    outcome pass alice 10.80.0.1 fd80::1
    outcome dropped carol 10.0.10.2 fd10::2
    outcome rejected carol 10.80.0.1 fd80::1
    outcome dropped inside 10.80.1.2 fd80::1:2
    outcome pass hub 198.51.100.2 2001:db8:1::2
    outcome pass alice 10.80.3.2 fd80::3:2
    [[ $(ask tcp hub 198.51.100.2 9) == dropped ]] || fail "what this host may not ask for, it gets"
    [[ $(ask tcp inside 198.51.100.2 9) == pass ]] || fail "a rule about this host is one about others too"
}

# COUNTER PACKETS BYTES, a line each, of the table
counted() {
    on hub nft -j list counters table inet fullbore-hub |
        jq -r '.nftables[].counter | select(. != null) | "\(.name) \(.packets) \(.bytes)"' | sort
}
counters_keep() { # counters_keep BEFORE AFTER: each of before is there after, and has not gone back
    join -a 1 "$1" "$2" | awk 'NF != 5 || $4 < $2 || $5 < $3 {print; bad = 1} END {exit bad}' >"$work/gone-back" ||
        fail "counters have gone, or gone back (before, after): $(cat "$work/gone-back")"
}
all_kinds
step "each kind of rule, three protocols, two families, both directions"

readonly deciding="rule-lan-out rule-admins-in rule-not-self rule-no-cameras rule-no-discard same-zone default-forward default-input"
for counter in $deciding listen-ports established; do
    (($(hits "$counter") > 0)) || fail "$counter has no hits: $(on hub "$fullbore" show hub --firewall)"
done
on hub nft list table inet fullbore-hub >"$work/listing"
grep -q 'comment "router.yaml:' "$work/listing" || fail "nft lists no lines of the file"
on hub nft -c -f "$work/listing" || fail "nft cannot read what it lists"
step "show --firewall and nft list tell where each rule comes from"

# ---- Flows that go on beside all that follows

begin_flow inside 198.51.100.2 7 2000
begin_flow inside 2001:db8:1::2 7 2000
begin_flow alice 10.0.10.2 7 2000
begin_flow alice fd10::2 7 2000
begin_flow hub 2001:db8:1::2 7 2000

# ---- A rule about a peer is one about its allowed-ips

[[ $(ask tcp carol 10.0.10.2) == dropped ]] || fail "carol reaches the cameras"
on carol ip address add 10.80.1.77/32 dev wg0
on hub wg set wg0 peer "${public_key[carol]}" allowed-ips 10.80.3.0/24,fd80::3:0/112,10.80.1.77/32
alices() { on hub nft list set inet fullbore-hub peers-wg0-alice-v4; }
as_77() { on carol timeout 2 socat - "TCP:10.0.10.2:7,bind=10.80.1.77,connect-timeout=1" <<<hello 2>/dev/null; }
[[ $(alices) != *10.80.1.0/24* ]] || fail "alice still has all of her prefix"
[[ $(as_77 || true) != hello ]] || fail "an address that is carol's now is still taken for alice's"
on hub wg set wg0 peer "${public_key[alice]}" allowed-ips 10.80.1.0/24,fd80::1:0/112,10.80.1.77/32
outcome pass alice 10.0.10.2 fd10::2
[[ $(alices) == *10.80.1.0/24* ]] || fail "alice does not have all of her prefix again: $(alices)"
step "rules about peers follow wg set"

# ---- A reload changes the rules, and keeps flows and what the rules have counted

reloads() { # reloads TEXT: with status 0, saying so
    on hub "$fullbore" reload hub >"$work/reload" 2>&1 || fail "the reload is refused: $(cat "$work/reload")"
    grep -qF -- "$1" "$work/reload" || fail "the reload does not say '$1': $(cat "$work/reload")"
}

before=$(hits rule-no-cameras)
counted >"$work/before"
option[hub,extra]=$(rules "        - { allow: echo, from: outside-hosts, to: lan }")
router_file hub >"$work/hub/router.yaml"
if on hub "$fullbore" reload hub >"$work/reload" 2>&1; then fail "a file with an unknown zone was taken"; fi
grep -q "no zone or peer 'outside-hosts'" "$work/reload" || fail "$(cat "$work/reload")"
option[hub,extra]=$(rules "        - { allow: echo, from: wan, to: lan, name: echo-in }")
router_file hub >"$work/hub/router.yaml"
reloads "rules in nftables"
[[ $(ask tcp outside 10.0.10.2) == pass && $(ask udp outside fd10::2) == pass ]] || fail "the new rule is not in force"
[[ $(hits rule-no-cameras) == "$before" ]] || fail "the reload has lost what was counted"
option[hub,extra]=$(rules "        - { allow: tcp/9, from: wan, to: lan, name: discard-in }")
router_file hub >"$work/hub/router.yaml"
reloads "rules in nftables"
counted >"$work/after"
counters_keep "$work/before" "$work/after"
flows_go_on
all_kinds
counted >"$work/all"
counters_keep "$work/after" "$work/all"
for counter in $deciding established; do # new flows are met by the new rules, and counted where those before were
    join <(grep "^$counter " "$work/after") "$work/all" | awk '$4 > $2 && $5 > $3 {more = 1} END {exit !more}' ||
        fail "$counter has counted nothing after the reload: $(grep "^$counter " "$work/after" "$work/all")"
done
step "a reload changes the rules: each kind as before, flows and counters go on"

# ---- What others do to the table is undone by a reload of the same file

put_back="rules in nftables, which somebody had changed, put back"
reloads "nothing has changed"
on hub nft add table inet theirs
reloads "nothing has changed"
before=$(hits rule-no-cameras)
on hub nft insert rule inet fullbore-hub forward accept
[[ $(ask tcp carol 10.0.10.2) == pass ]] || fail "the rule that opens everything does not"
reloads "$put_back"
[[ $(ask tcp carol 10.0.10.2) == dropped ]] || fail "a rule that somebody has put in front is still there"
(($(hits rule-no-cameras) > before)) || fail "the repair has lost what was counted"
reloads "nothing has changed"
on hub nft flush ruleset
[[ $(ask tcp outside 198.51.100.1) == pass ]] || fail "without rules this host is closed"
status=0
on hub "$fullbore" show hub --firewall >"$work/shown" 2>&1 || status=$?
[[ $status == 1 ]] || fail "show --firewall: status $status: $(cat "$work/shown")"
grep -q "somebody has deleted the table inet fullbore-hub" "$work/shown" || fail "$(cat "$work/shown")"
reloads "$put_back"
[[ $(ask tcp outside 198.51.100.1) == dropped && $(ask udp carol fd10::2) == dropped ]] || fail "what is closed is open"
[[ $(ask tcp alice 10.0.10.2) == pass && $(ask icmp inside 2001:db8:1::2) == pass ]] || fail "what is open is closed"
reloads "nothing has changed"
flows_go_on
step "a reload of the same file puts back what others have changed or flushed"

# ---- Another process changes its own table all the time

on hub nft -f - <<'NFT'
table inet theirs {
    set s { type ipv4_addr; elements = { 192.0.2.1 }; }
    counter c { packets 5 bytes 7; }
    chain kept { ip saddr @s counter name c drop; }
    chain changing { }
}
NFT
theirs() { on hub nft -a list chain inet theirs kept && on hub nft list set inet theirs s && on hub nft list counter inet theirs c; }
theirs >"$work/theirs"
before=$(hits rule-no-cameras)
mkfifo "$work/words"
# shellcheck disable=SC2016 # expands in the inner shell
spawn hub "$work/others.log" sh -c 'exec nft -i <"$0"' "$work/words" # a transaction for each line, without a pause
others=$spawned
while echo "add rule inet theirs changing tcp dport 9 accept; flush chain inet theirs changing"; do :; done >"$work/words" 2>/dev/null &
for ((round = 1; round <= 30; round++)); do
    option[hub,extra]=$(rules "        - { allow: tcp/$((1000 + round)), from: wan, to: lan, name: round-$round }")
    router_file hub >"$work/hub/router.yaml"
    reloads "rules in nftables"
    [[ $(hits "rule-round-$round") == 0 ]] || fail "round $round: its rule is not there"
done
alive "$others" || fail "nft has ended: $(cat "$work/others.log")"
kill "$others"
ends "$others" 5
theirs | diff "$work/theirs" - || fail "another's table has changed"
[[ $(hits rule-no-cameras) == "$before" ]] || fail "the reloads have lost what was counted"
transactions=$(on hub nft -ea add rule inet theirs changing drop | sed -nE 's/.*# handle ([0-9]+)$/\1/p') # one each
((transactions > 300)) || fail "the other process has changed its table $transactions times only"
flows_go_on
step "30 reloads while another process changed its own table $transactions times"
end_flows

# ---- kill -9: closed stays closed, open stays open; the next start takes over

pings inside 198.51.100.2 1
kill -KILL "${daemon[hub]}"
ends "${daemon[hub]}" 5
on hub nft list table inet fullbore-hub >/dev/null || fail "the rules have gone with the process"
[[ $(ask tcp outside 198.51.100.1) == dropped ]] || fail "after kill -9 this host is open"
before=$(on hub nft list counter inet fullbore-hub rule-lan-out | awk '/packets/ {print $2}')
spawn inside "$work/probe.log" ping -n -i 0.02 -O 198.51.100.2
probe=$spawned
on hub ip link del wg0 2>/dev/null || true
rm -f "$work/hub/log"
up hub
kill -INT "$probe"
ends "$probe" 5
! grep -q "no answer" "$work/probe.log" || fail "a flow had a gap: $(grep -c 'no answer' "$work/probe.log")"
(($(hits rule-lan-out) >= before)) || fail "the next start has lost what was counted"
[[ $(ask tcp outside 198.51.100.1) == dropped && $(ask tcp inside 198.51.100.2) == pass ]] || fail "the rules are not as they were"
step "after kill -9 the rules stand, and the next start takes them over"

# ---- A clean end takes them away; somebody else's table is refused

down hub
! on hub nft list table inet fullbore-hub 2>/dev/null || fail "the table is still there"
all_down
