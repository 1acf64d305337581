#!/usr/bin/env bash
# exit.sh [LEFT]: SIGTERM and SIGINT end it in under a second with status 0, under traffic, and everything it changed on the
# host is as before, also while a client of its control socket says nothing, routes change, or a look-up gets no answer;
# after kill -9 a new run starts cleanly and packets flow again.
#
#   left ── wire ───────────────── wire ── right
#    wg0 192.168.241.1/24, fd00::1/64 ·· wg0 192.168.241.2/24, fd00::2/64       and routes to 10.20.0.0/16, fd20::/64
#
# wireguard-go as LEFT proves the script as far as it can: wg and ip configured it, so what they did is not taken back.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore}
readonly limit=1 # second from the signal to the end

start=(nice -n -15 "$fullbore") # the second is for the router, not for what else this machine is busy with
node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
interface left "$left" addresses="192.168.241.1/24 fd00::1/64"
interface right wireguard-go addresses="192.168.241.2/24 fd00::2/64"
peer left right endpoint="10.0.0.2:$default_port" allowed="192.168.241.2/32 fd00::2/128 10.20.0.0/16 fd20::/64"
peer right left endpoint="10.0.0.1:$default_port" allowed="192.168.241.1/32 fd00::1/128"
up right

host() { # everything on left that a router could have changed
    local family
    on left ip -o link | cut -d: -f2
    for family in -4 -6; do
        on left ip "$family" -o address | awk '{print $2, $4}'
        on left ip "$family" route show table all | sed 's/ expires [0-9]*sec//'
        on left ip "$family" rule
    done
    on left sh -c 'grep -rs . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf; true' | sort
    on left nft list ruleset 2>/dev/null || true
    (cd "$work/left/run" && find fullbore wireguard -mindepth 1 2>/dev/null) || true
}

as_before() { diff "$work/host-before" <(host) >"$work/host-diff"; }

ends_on() { # ends_on SIGNAL WHEN
    local begin=$EPOCHREALTIME
    kill -"$1" "${daemon[left]}"
    ends "${daemon[left]}" "$limit" || fail "SIG$1 $2: it has not ended after $limit s"
    [[ $ended == 0 ]] || fail "SIG$1 $2: status $ended: $(tail -n 20 "$work/left/log")"
    step "SIG$1 $2: ended with 0 after $(elapsed "$begin") s"
}

stops_on() { # stops_on SIGNAL: under traffic both ways, with the host as it was afterwards
    local traffic
    host >"$work/host-before"
    up left
    pings left 192.168.241.2
    pings right fd00::1
    [[ $(sysctl_of left net/ipv4/ip_forward) == 1 ]] || fail "it did not turn IPv4 forwarding on"
    [[ $(sysctl_of left net/ipv6/conf/all/forwarding) == 1 ]] || fail "it did not turn IPv6 forwarding on"
    spawn right "$work/iperf-server.log" iperf3 -s -1 -p "$iperf_port"
    eventually 5 listening right "$iperf_port" || fail "no iperf3 server"
    spawn left "$work/iperf.log" iperf3 -c 192.168.241.2 -p "$iperf_port" --bidir -t 30
    traffic=$spawned
    eventually 10 flowing 4000000 || fail "no traffic both ways: $(cat "$work/iperf.log")"
    ends_on "$1" "under traffic"
    alive "$traffic" || fail "the traffic has ended before the router: $(cat "$work/iperf.log")"
    kill "$traffic" # iperf3's sockets hold no route or address, its server ends with it
    eventually 5 gone "$traffic" || fail "iperf3 does not end"
    kill "$(on right ss -Hltnp "sport = :$iperf_port" | sed -nE 's/.*pid=([0-9]+).*/\1/p')" 2>/dev/null || true
    is_fullbore left || { as_if_taken_back; return; }
    as_before || fail "SIG$1: left on the host: $(cat "$work/host-diff")"
    step "SIG$1: links, addresses, routes, rules, forwarding, rules of nftables and files are as before"
}

flowing() { # flowing BYTES: so many have gone through wg0 both ways
    local way
    for way in rx tx; do (($(on left cat "/sys/class/net/wg0/statistics/${way}_bytes") >= $1)) || return 1; done
}

as_if_taken_back() {
    sysctl_of left net/ipv4/ip_forward 0
    sysctl_of left net/ipv6/conf/all/forwarding 0
    rm -rf "$work/left/run/wireguard"
}

stops_on TERM
stops_on INT

# Where forwarding was on before it started, it stays on.
if is_fullbore left; then
    sysctl_of left net/ipv4/ip_forward 1
    sysctl_of left net/ipv6/conf/all/forwarding 1
    host >"$work/host-before"
    up left
    down left
    as_before || fail "forwarding was on, and then: $(cat "$work/host-diff")"
    step "forwarding that was on before is left on"
fi

# What its other threads may be busy with must not hold up the end.
if is_fullbore left; then
    up left
    spawn left "$work/client.log" socat -u UNIX-CONNECT:/run/fullbore/left/control.sock -
    client=$spawned
    connected() { [[ $(on left ss -Hx state established src /run/fullbore/left/control.sock) ]]; }
    eventually 5 connected || fail "socat does not connect to the control socket"
    ends_on TERM "with a silent client"
    kill "$client" 2>/dev/null || true

    up left
    : >"$work/changes"
    change_routes() {
        while ip -n "$prefix-left" route add 10.99.0.0/16 dev wire && ip -n "$prefix-left" route delete 10.99.0.0/16 dev wire; do
            echo >>"$work/changes"
        done
    }
    changed() { (($(wc -l <"$work/changes") >= $1)); }
    change_routes &
    changer=$!
    eventually 10 changed 20 || fail "no routes change"
    ends_on TERM "while routes change"
    kill "$changer"
    wait "$changer" || true
    ip -n "$prefix-left" route delete 10.99.0.0/16 dev wire 2>/dev/null || true

    # A resolver that never answers.
    spawn left "$work/resolver.log" socat -u UDP4-RECV:53,bind=127.0.0.1 "CREATE:$work/queries"
    resolver=$spawned
    option[left,right,endpoint]=silent.example:$default_port
    usual=("${start[@]}")
    ask_own_resolver
    up left
    start=("${usual[@]}")
    eventually 5 test -s "$work/queries" || fail "the resolver is not asked: $(cat "$work/left/log")"
    ends_on TERM "while a look-up gets no answer"
    kill "$resolver"
    option[left,right,endpoint]=10.0.0.2:$default_port
fi

# After kill -9 the TUN device is gone with its descriptor; sockets, pid files and forwarding stay behind.
for _ in 1 2; do
    up left
    pings left 192.168.241.2
    kill -9 "${daemon[left]}"
    ends "${daemon[left]}" 2 || fail "kill -9 does not end it"
    is_fullbore left || as_if_taken_back
done
up left
pings left 192.168.241.2
pings right fd00::1
if is_fullbore left; then
    [[ $(on left "$fullbore" show left --json | jq -r 'type') == object ]] || fail "after kill -9: show does not reach it"
fi
down left
step "kill -9, twice: the next run starts cleanly"
down right
