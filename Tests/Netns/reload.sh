#!/usr/bin/env bash
# reload.sh: a router becomes what its file says again and again while two of its peers are busy: one with a TCP stream, one
# with a thousand packets a second. What the file does not say otherwise is not touched: no packet of theirs is lost, their
# sessions are the same, and nothing grows. A file that is not good changes nothing.
#
#   left ── west ───────────── west ── hub ── east ─────────── east ── right      outer: 10.0.{1,2}.{1,2}
#    wg0 192.168.241.2/24 ·········· wg0 192.168.241.1/24 ············ wg0 192.168.241.3/24
#
# timeout: 300
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly rounds=100 crowd=40 growth_at_most=4096 # KiB
seed=${SEED:-$(date +%s)}
RANDOM=$seed
step "seed $seed"

node left hub right
wire left west hub west
wire hub east right east
address left west 10.0.1.2/24
address hub west 10.0.1.1/24
address hub east 10.0.2.1/24
address right east 10.0.2.2/24
interface hub fullbore addresses="192.168.241.1/24" workers=2
interface left fullbore addresses="192.168.241.2/24"
interface right fullbore addresses="192.168.241.3/24"
peer hub left endpoint="10.0.1.2:$default_port" allowed="192.168.241.2/32"
peer hub right endpoint="10.0.2.2:$default_port" allowed="192.168.241.3/32"
peer left hub endpoint="10.0.1.1:$default_port" allowed="192.168.241.1/32"
peer right hub endpoint="10.0.2.1:$default_port" allowed="192.168.241.1/32"
up hub
up left
up right
pings left 192.168.241.1
pings right 192.168.241.1

readonly file=$work/hub/router.yaml
cp "$file" "$work/first.yaml"
keys=()
for ((number = 0; number < crowd; number++)); do keys+=("$(wg genkey | wg pubkey)"); done
reload() { on hub "$fullbore" reload hub; }
running() { on hub "$fullbore" show hub --json; }

# ---- What a file says, and what becomes of it

[[ $(reload) == "hub: nothing has changed" ]] || fail "a reload of the same file has changed something"

sed 's/^      left:/      links:/' "$work/first.yaml" >"$file"
reload >/dev/null
[[ $(running | jq -r '[.interfaces[0].peers[].name] | sort | join(" ")') == "links right" ]] || fail "the new name of a peer is not shown"

on hub wg set wg0 peer "${keys[0]}" allowed-ips 10.66.0.0/24
on hub wg set wg0 peer "${public_key[left]}" persistent-keepalive 7 endpoint 10.0.1.2:9
reload >/dev/null
[[ $(on hub wg show wg0 peers | wc -l) == 2 ]] || fail "a peer that wg has added is still there"
[[ $(on hub wg show wg0 persistent-keepalive | cut -f2 | sort -u) == off ]] || fail "a keepalive that wg has set is still there"
expect_endpoint hub left "10.0.1.2:$default_port"
step "the file is the truth: what wg has changed is undone"

refused() { # refused STATUS TEXT
    local status=0
    reload >"$work/refusal" 2>&1 || status=$?
    [[ $status == "$1" ]] || fail "status $status, expected $1: $(cat "$work/refusal")"
    grep -qF -- "$2" "$work/refusal" || fail "no '$2' in: $(cat "$work/refusal")"
}
state() { on hub wg showconf wg0; ip -n "$prefix-hub" route show; ip -n "$prefix-hub" address show dev wg0; }
state >"$work/before"
{ cat "$work/first.yaml" && printf 'routers: 1\n'; } >"$file"
refused 78 "router.yaml:$(wc -l <"$file"):1: unknown key 'routers'"
sed 's/workers: 2/workers: 1/' "$work/first.yaml" >"$file"
refused 78 "'runtime' changes: this needs a restart"
sed 's/^name: hub/name: hubby/' "$work/first.yaml" >"$file"
refused 78 "the name changes from hub to hubby: this needs a restart"
another_interface() { # another_interface NAME PORT ADDRESS [ROUTE]: its part of a file
    printf '  %s:\n    private-key: { file: %s }\n    listen-port: %s\n    addresses: ["%s"]\n' "$1" "$work/other.key" "$2" "$3"
    [[ ! ${4:-} ]] || printf '    peers: { loop: { public-key: "%s", allowed-ips: [%s] } }\n' "${keys[1]}" "$4"
}
(umask 077 && wg genkey >"$work/other.key")
{ cat "$work/first.yaml" && another_interface wg1 7777 192.168.243.1/24 10.0.2.0/24; } >"$file"
refused 1 "wg1: cannot add route 10.0.2.0/24: File exists"
{ cat "$work/first.yaml" && another_interface west 7777 192.168.243.1/24; } >"$file"
refused 1 "west"
sed "s/listen-port: .*/listen-port: 4444/" "$work/first.yaml" >"$file"
spawn hub "$work/taken.log" socat -u UDP4-RECV:4444 /dev/null
taken() { [[ $(on hub ss -Hlun 'sport = :4444') ]]; }
eventually 5 taken || fail "socat does not listen"
refused 1 "wg0: UDP port 4444 is in use"
{ cat "$work/first.yaml" && printf '      loop:\n        public-key: "%s"\n        allowed-ips: [10.0.2.0/24]\n' "${keys[1]}"; } >"$file"
refused 1 "wg0: cannot add route 10.0.2.0/24: File exists"
state | diff "$work/before" - || fail "a reload that was refused has changed something"
step "a file that is not good changes nothing"

# ---- In place: key, port, addresses, MTU, pipeline

{ sed -e 's/listen-port: .*/listen-port: 4445/' -e 's/mtu: .*/mtu: 1380/' -e 's|addresses: .*|addresses: ["192.168.241.1/24", "192.168.242.1/24"]|' "$work/first.yaml"
  printf 'pipeline: [tun, allowed-ips, dscp: { up: ef }, wireguard, udp]\n'; } >"$file"
kill -HUP "${daemon[hub]}"
has_moved() { [[ $(on hub wg show wg0 listen-port) == 4445 && $(ip -n "$prefix-hub" -o address show dev wg0) == *192.168.242.1/24* ]]; }
eventually 5 has_moved || fail "SIGHUP: not what the file says"
ip -n "$prefix-hub" link show wg0 | grep -q 'mtu 1380' || fail "the MTU is not what the file says"
pings hub 192.168.241.3 # not the other way round: right learns of the port from what comes from it
pings hub 192.168.241.2
((($(running | jq '[.stages[] | select(.name == "dscp") | .counters[] | select(.name == "packets-marked").value] | add // 0')) > 0)) || fail "the new stage is not in force"
cp "$work/first.yaml" "$file"
reload >/dev/null
[[ $(on hub wg show wg0 listen-port) == "$default_port" ]] || fail "the port is not back"
[[ $(running | jq -r '[.stages[].name] | join(" ")') != *dscp* ]] || fail "the stage is still there"
pings hub 192.168.241.2
pings hub 192.168.241.3
step "port, MTU, addresses and stages change in place"

# ---- Interfaces come and go

for ((round = 0; round < 12; round++)); do # more often than there are slots
    { cat "$work/first.yaml" && another_interface wg1 7777 192.168.243.1/24 && another_interface wg2 7778 192.168.244.1/24; } >"$file"
    reload >"$work/reloaded" 2>&1 || true
    [[ $(cat "$work/reloaded") == $'wg1: new\nwg2: new'* ]] || fail "round $round: wg1 and wg2 did not come: $(cat "$work/reloaded")"
    [[ $(on hub wg show wg1 listen-port) == 7777 ]] || fail "wg does not see wg1"
    cp "$work/first.yaml" "$file"
    [[ $(reload) == $'wg1: gone\nwg2: gone' ]] || fail "round $round: wg1 and wg2 did not go"
    ! ip -n "$prefix-hub" link show wg1 >/dev/null 2>&1 || fail "wg1 is still there"
    [[ $(running | jq -r '[.interfaces[].name] | join(" ")') == wg0 ]] || fail "wg1 is still shown"
done
{ cat "$work/first.yaml" && another_interface wg1 7777 192.168.243.1/24; } >"$file"
reload >/dev/null
on left wg set wg0 peer "$(wg pubkey <"$work/other.key")" endpoint 10.0.1.1:7777 allowed-ips 192.168.243.1/32
on hub wg set wg1 peer "${public_key[left]}" allowed-ips 192.168.241.2/32 # the way back is by wg0, which does not matter here
ip -n "$prefix-left" route add 192.168.243.1/32 dev wg0
ip -n "$prefix-hub" route replace 192.168.241.2/32 dev wg1
pings left 192.168.243.1
ip -n "$prefix-hub" route del 192.168.241.2/32 dev wg1
ip -n "$prefix-left" route del 192.168.243.1/32
on left wg set wg0 peer "$(wg pubkey <"$work/other.key")" remove
cp "$work/first.yaml" "$file"
reload >/dev/null
ip -n "$prefix-hub" route replace 192.168.241.2/32 dev wg0
pings left 192.168.241.1
step "interfaces come and go while it runs"

# ---- A hundred times under load

another_file() {
    local number dscp=$((RANDOM % 2)) limits=$((RANDOM % 2)) stages=""
    cat "$work/first.yaml"
    for ((number = 0; number < crowd; number++)); do
        ((RANDOM % 2)) || continue
        printf '      peer-%s:\n        public-key: "%s"\n' "$number" "${keys[number]}"
        printf '        allowed-ips: [10.%s.%s.0/24, 10.77.%s.0/%s]\n' "$((100 + RANDOM % 50))" "$number" "$number" "$((24 + RANDOM % 8))"
        ((RANDOM % 3)) || printf '        endpoint: 10.0.1.%s:%s\n' "$((50 + RANDOM % 9))" "$((1000 + RANDOM % 9))"
        ((RANDOM % 3)) || printf '        persistent-keepalive: %s\n' "$((1 + RANDOM % 9))"
        ((!dscp || RANDOM % 3)) || printf '        dscp: { down: %s }\n' "$((RANDOM % 64))"
        ((!limits || RANDOM % 3)) || printf '        rate-limit: { down: %smbit, up: 1mbit }\n' "$((1 + RANDOM % 9))"
    done
    number=$((1 + RANDOM % 3)) # ports are its own: two that trade theirs are refused
    ((RANDOM % 5)) || another_interface "wg$number" "$((7000 + 10 * number + RANDOM % 9))" 192.168.243.1/24
    ((RANDOM % 2)) || stages+="firewall: { default: accept, rules: [{ deny: tcp/$((1 + RANDOM % 9)), from: 10.$((RANDOM % 99)).0.0/16, to: self, name: a }, { reject: ssh, from: 10.99.0.0/16, to: 10.98.0.0/16 }] }, "
    ((RANDOM % 3)) || stages+="nat: { forwards: [{ name: web, from: 10.99.0.0/16, address: 10.0.1.1, port: tcp/$((80 + RANDOM % 9)), to: \"10.77.0.5:80\" }] }, "
    stages+="tun, allowed-ips, "
    ((!limits)) || stages+="rate-limit, "
    ((RANDOM % 2)) || stages+="netmap, "
    ((!dscp)) || stages+="dscp: { up: $((RANDOM % 64)) }, "
    printf 'pipeline: [%swireguard, udp]\n' "$stages"
}
counters() { # of the two peers, in bytes
    running | jq -r --arg left "${public_key[left]}" --arg right "${public_key[right]}" \
        '.interfaces[0].peers[] | select(."public-key" == $left or ."public-key" == $right) | "\(.received) \(.sent)"'
}
descriptors() { # the least of several looks: whoever is told of a link or a connection has some for a moment
    local look
    for ((look = 0; look < 10; look++)); do
        find "/proc/${daemon[hub]}/fd" 2>/dev/null | wc -l
        sleep 0.02
    done | sort -n | head -n1
}
resident() { awk '/^VmRSS/ {print $2}' "/proc/${daemon[hub]}/status"; }

pings right 192.168.241.1
sessions=$(handshake_of hub left) sessions+=" $(handshake_of hub right)"
spawn hub "$work/iperf.log" iperf3 -s -1
listening() { [[ $(on hub ss -Hltn 'sport = :5201') ]]; }
eventually 5 listening || fail "no iperf3"
on left iperf3 -c 192.168.241.1 -C cubic -t 250 -J >"$work/stream.json" &
stream=$!
on right ping -n -i 0.001 -W 2 192.168.241.1 >"$work/probe" &
probe=$!
for ((round = 0; round < 10; round++)); do
    another_file >"$file"
    reload >/dev/null
done
cp "$work/first.yaml" "$file" # the same, before and after
reload >/dev/null
before_descriptors=$(descriptors) before_resident=$(resident)
earlier=$(counters)
for ((round = 0; round < rounds; round++)); do
    another_file >"$file"
    reload >"$work/reloaded" || fail "round $round: $(cat "$work/reloaded")"
    if ((round % 10 == 0)); then
        printf 'nonsense\n' >>"$file"
        ! reload >/dev/null 2>&1 || fail "nonsense was taken"
        later=$(counters)
        paste <(echo "$earlier") <(echo "$later") | awk '$3 < $1 || $4 < $2 {exit 1}' || fail "counters have gone back: $earlier, $later"
        earlier=$later
    fi
done
cp "$work/first.yaml" "$file"
reload >/dev/null
kill -0 "$stream" || fail "the TCP stream has ended"
kill -INT "$(pgrep -P "$probe" -x ping || echo "$probe")"
wait "$probe" || true
kill "$stream" 2>/dev/null || true
sent=$(sed -nE 's/^([0-9]+) packets transmitted.*/\1/p' "$work/probe")
[[ $(unanswered "$work/probe") == 0 ]] || fail "of $sent packets of the probe $(unanswered "$work/probe") were lost: $(tail -n3 "$work/probe")"
[[ "$(handshake_of hub left) $(handshake_of hub right)" == "$sessions" ]] || fail "the sessions are others than before"
(($(descriptors) == before_descriptors)) || fail "descriptors: $before_descriptors before, $(descriptors) now"
(($(resident) - before_resident < growth_at_most)) || fail "RSS: $before_resident KiB before, $(resident) KiB now"
step "$rounds reloads: none of $sent packets lost, $(sed -nE 's|^rtt .* = (.*)|\1|p' "$work/probe"); the same sessions, RSS $before_resident to $(resident) KiB"
all_down
