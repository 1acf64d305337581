#!/usr/bin/env bash
# basic.sh [LEFT [RIGHT]]: two routers, every kind of traffic through the tunnel (N-1, N-2, N-3, N-4,
# N-5, N-6, N-7), over IPv4 (N-9) and IPv6 (N-11), at the default and at a big MTU (N-10), with exact counters (N-8).
# LEFT and RIGHT are implementations: fullbore (the default), wireguard-go, or a program with wireguard-go's usage.
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}, fd00:aa::{1,2}
#    wg0 192.168.241.1/24, fd00::1/64 ·· wg0 192.168.241.2/24, fd00::2/64        with a preshared key
#
# timeout: 180
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore} right=${2:-${1:-fullbore}}
readonly streams=50

node left right
wire left wire right wire
address left wire 10.0.0.1/24 fd00:aa::1/64
address right wire 10.0.0.2/24 fd00:aa::2/64
(umask 077 && wg genpsk >"$work/psk")

tunnel() { # tunnel LEFT'S-OUTER RIGHT'S-OUTER MTU
    interface left "$left" mtu="$3" addresses="192.168.241.1/24 fd00::1/64"
    interface right "$right" mtu="$3" addresses="192.168.241.2/24 fd00::2/64"
    peer left right endpoint="$2:$default_port" psk="$work/psk" allowed="192.168.241.2/32 fd00::2/128"
    peer right left endpoint="$1:$default_port" psk="$work/psk" allowed="192.168.241.1/32 fd00::1/128"
    # Who pings first comes up last: what the host still has to say to an earlier tunnel's TCP connections goes out at once,
    # and an initiation that nobody is there for is sent again after 5 s only.
    up right
    up left
}

traffic() {
    pings left 192.168.241.2
    pings right 192.168.241.1
    step "N-1 ping over IPv4, both ways"
    pings left fd00::2
    pings right fd00::1
    step "N-2 ping over IPv6, both ways"
    iperf left right 192.168.241.2 -t 2 -Z
    step "N-3 TCP over IPv4: $(rate .end.sum_received)"
    iperf right left fd00::1 -t 2 -Z
    step "N-4 TCP over IPv6: $(rate .end.sum_received)"
    iperf right left 192.168.241.1 -u -t 1 -b 0
    some_udp_arrived
    step "N-5 UDP over IPv4: $(rate .end.sum)"
    iperf left right fd00::2 -u -t 1 -b 0
    some_udp_arrived
    step "N-6 UDP over IPv6: $(rate .end.sum)"
}

rate() { # of what arrived
    iperf_value "$1 | .bits_per_second * (100 - (.lost_percent // 0)) / 100 / 1e7 | round / 100 | \"\(.) Gbit/s\""
}

parallel_tcp() { # N-7: that many servers and clients at once
    local number clients=() client
    for ((number = 0; number < streams; number++)); do
        IPERF_PORT=$((6000 + number)) iperf left right 192.168.241.2 -n 1M &
        clients+=($!)
    done
    for client in "${clients[@]}"; do wait "$client" || fail "N-7: one of $streams parallel TCP streams failed"; done
    step "N-7 TCP: $streams clients at once, all of them finished"
}

# N-8: ten pings of 84 bytes, padded to 96, are 128 on the wire; an initiation is 148, a response 92, a keepalive 32.
accounting() {
    local now sent received
    now=$(date +%s)
    pings left 192.168.241.2 10
    (($(handshake_of left right) >= now - 1 && $(handshake_of right left) >= now - 1)) || fail "N-8: no recent handshake shown"
    sent=$(sent_by left right) received=$(received_by left right)
    ((sent == 148 + 10 * 128 || sent == 148 + 32 + 10 * 128)) || fail "N-8: left shows $sent bytes sent"
    ((received == 92 + 10 * 128)) || fail "N-8: left shows $received bytes received"
    [[ $sent == "$(received_by right left)" && $received == "$(sent_by right left)" ]] || fail "N-8: the two ends count differently"
    step "N-8 handshakes and transfer counters: $sent bytes sent, $received received"
}

say "outer IPv4"
tunnel 10.0.0.1 10.0.0.2 1420
accounting
traffic
parallel_tcp
down left
down right

say "N-11 outer IPv6, the default MTU: the wire's 1500 and no byte more"
tunnel "[fd00:aa::1]" "[fd00:aa::2]" 1420
on left ping -q -n -c 3 -i 0.2 -W 2 -M "do" -s 1392 192.168.241.2 >/dev/null || fail "N-11 the longest packet does not pass"
traffic
down left
down right

say "outer IPv6, an MTU of 1280"
tunnel "[fd00:aa::1]" "[fd00:aa::2]" 1280
pings left fd00::2
iperf left right fd00::2 -t 1
step "the least MTU of IPv6: $(rate .end.sum_received)"
down left
down right

# As far above the wire's as 1420 is below 1500: whole packets, and more than one super-packet holds.
say "N-10, N-11 an MTU of 34736, over either"
for name in left right; do ip -n "$prefix-$name" link set wire mtu 34816; done
tunnel 10.0.0.1 10.0.0.2 34736
traffic
down left
down right
tunnel "[fd00:aa::1]" "[fd00:aa::2]" 34736
on left ping -q -n -c 3 -i 0.2 -W 2 -M "do" -s 34708 192.168.241.2 >/dev/null || fail "N-10 the longest packet does not pass"
traffic
down left
down right
