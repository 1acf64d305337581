#!/usr/bin/env bash
# datagrams.sh [LEFT]: datagrams of 0 to 65507 bytes at its port (P-1.8, S-3), of every message type, in single packets and as GSO bursts
# that arrive as one super-packet (UDP_GRO): none does harm, each is dropped and counted, and traffic flows on in the same
# session.
#
#   left ── wire ───────────────── wire ── right        right sends the datagrams beside its tunnel
#        10.0.0.1, fd00:aa::1      10.0.0.2, fd00:aa::2
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly left=${1:-fullbore}

node left right
wire left wire right wire
address left wire 10.0.0.1/24 fd00:aa::1/64
address right wire 10.0.0.2/24 fd00:aa::2/64
interface left "$left" addresses="192.168.241.1/24"
interface right wireguard-go addresses="192.168.241.2/24"
peer left right allowed=192.168.241.2/32
peer right left endpoint="10.0.0.1:$default_port" allowed=192.168.241.1/32
up left
up right
pings right 192.168.241.1
handshake=$(handshake_of left right)

cat >"$work/throw.pl" <<'PERL'
# throw.pl ADDRESS PORT: sends, from a fixed seed, datagrams of every size and kind; prints how many datagrams that were.
use strict; use warnings;
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6 AF_INET6 IPPROTO_UDP);
use constant { UDP_SEGMENT => 103, LARGEST => 65507 };
my ($address, $port) = @ARGV;
my ($family, $to) = $address =~ /:/
    ? (AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $address)))
    : (AF_INET, pack_sockaddr_in($port, inet_aton($address)));
socket(my $socket, $family, SOCK_DGRAM, IPPROTO_UDP) or die "socket: $!";
setsockopt($socket, SOL_SOCKET, SO_SNDBUF, 4 << 20);
srand 51820;
my $sent = 0;

sub bytes { my $n = shift; my $s = ''; $s .= pack 'N', rand 2**32 while length $s < $n; substr $s, 0, $n }
sub throw { # DATAGRAM, or a burst to be cut into SEGMENT bytes each
    my ($bytes, $segment) = @_;
    defined send($socket, $bytes, 0, $to) or die "send: $!";
    $sent += $segment ? int((length($bytes) + $segment - 1) / $segment) : 1;
}

# Initiation 148, response 92, cookie reply 64, data at least 32: those lengths, their neighbours, and the ends of the range.
my @sizes = (0 .. 40, 63 .. 65, 91 .. 93, 147 .. 149, 1279 .. 1281, 1419 .. 1421, 1451 .. 1453, 1472, 1473,
             1500, 2047 .. 2049, 4096, 9000, 16384, 32768, 65000, LARGEST - 1, LARGEST);
for my $size (@sizes) {
    throw(bytes($size));
    for my $type (0 .. 5, 255) {
        throw(substr(pack('V', $type) . bytes($size), 0, $size));       # reserved bytes zero, the rest random
        throw(substr(pack('CV', $type) . bytes($size), 0, $size));      # reserved bytes not zero
        throw(substr(pack('V', $type) . "\0" x LARGEST, 0, $size));     # index, counter, everything zero
        throw(substr(pack('V', $type) . "\xff" x LARGEST, 0, $size));   # the largest index and counter
    }
}

# GSO bursts: up to 64 segments of one size, the last one shorter.
for my $segment (1, 31, 32, 33, 64, 92, 148, 576, 1400) {
    setsockopt($socket, IPPROTO_UDP, UDP_SEGMENT, pack 'i', $segment) or last; # an old kernel
    for my $count (2, 3, 63) {
        my $burst = substr(join('', map { pack('V', 1 + $_ % 4) . bytes($segment) } 1 .. $count), 0, $segment * $count - 1);
        throw(substr($burst, 0, LARGEST), $segment);
    }
    setsockopt($socket, IPPROTO_UDP, UDP_SEGMENT, pack 'i', 0);
}
print "$sent\n";
PERL

dropped() { is_fullbore left && drops_of left | awk '$1 != "allowed-ips" {sum += $3} END {print sum + 0}'; }
drops_reach() { (($(dropped) >= $1)); }

survives() { # survives ADDRESS
    local count before
    before=$(dropped) || true
    count=$(on right perl "$work/throw.pl" "$1" "$default_port") || fail "throw.pl $1"
    ((count > 1000)) || fail "only $count datagrams were sent"
    alive "${daemon[left]}" || fail "left is dead: $(tail -n 30 "$work/left/log")"
    pings right 192.168.241.1
    pings left 192.168.241.2
    ! is_fullbore left || eventually 2 drops_reach $((before + count)) ||
        fail "of $count datagrams only $(($(dropped) - before)) are counted: $(drops_of left)"
    step "$count datagrams at $1: traffic flows on"
}

survives 10.0.0.1
survives fd00:aa::1

# The same in the midst of traffic.
spawn left "$work/iperf-server.log" iperf3 -s -1 -p 5299
eventually 5 listening left 5299
spawn right "$work/iperf.json" iperf3 -J -c 192.168.241.1 -p 5299 -t 3
client=$spawned
survives 10.0.0.1
ends "$client" 20 || fail "iperf3 does not end"
[[ $ended == 0 ]] || fail "the TCP stream broke: $(cat "$work/iperf.json")"
step "a TCP stream beside it: $(jq '.end.sum_received.bits_per_second / 1e6 | round' "$work/iperf.json") Mbit/s"

[[ $(handshake_of left right) == "$handshake" ]] || fail "the session did not last"
expect_endpoint left right "10.0.0.2:$default_port"
down left
down right
