#!/usr/bin/env bash
# wireguard-go.sh [OURS [THEIRS]]: Fullbore against Debian's wireguard-go, or others: either one as the initiator, with and
# without a preshared key, over IPv4 and IPv6; each time 100 MB both ways over IPv4 and IPv6 inside, with equal sha256.
#
#   ours ── wire ───────────────── wire ── theirs       outer: 10.0.0.{1,2}, fd00:aa::{1,2}
#    wg0 10.9.0.1/24, fd09::1/64 ·· wg0 10.9.0.2/24, fd09::2/64
#
# Only the initiator knows an endpoint, so the other one cannot have begun; a handshake on both ends shows that it answered.
#
# timeout: 600
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly ours=${1:-fullbore} theirs=${2:-wireguard-go}
readonly copied=$((100 * 1000 * 1000)) # bytes

node ours theirs
wire ours wire theirs wire
address ours wire 10.0.0.1/24 fd00:aa::1/64
address theirs wire 10.0.0.2/24 fd00:aa::2/64
(umask 077 && wg genpsk >"$work/psk")
random_file "$work/file" "$copied"
declare -A outer=([ours,IPv4]=10.0.0.1 [theirs,IPv4]=10.0.0.2 [ours,IPv6]=fd00:aa::1 [theirs,IPv6]=fd00:aa::2)
declare -A inner=([ours,4]=10.9.0.1 [theirs,4]=10.9.0.2 [ours,6]=fd09::1 [theirs,6]=fd09::2)

tunnel() { # tunnel INITIATOR RESPONDER FAMILY PSK-FILE
    local name
    interface ours "$ours" addresses="10.9.0.1/24 fd09::1/64"
    interface theirs "$theirs" addresses="10.9.0.2/24 fd09::2/64"
    peer ours theirs psk="$4" allowed="10.9.0.2/32 fd09::2/128"
    peer theirs ours psk="$4" allowed="10.9.0.1/32 fd09::1/128"
    option[$1,$2,endpoint]=$(bracketed "${outer[$2,$3]}"):$default_port
    up ours
    up theirs
    [[ $(endpoint_of "$2" "$1") == "(none)" ]] || fail "the responder knows an endpoint before it is spoken to"
    for name in "$1 $2" "$2 $1"; do
        # shellcheck disable=SC2086 # two words
        [[ $(handshake_of $name) == 0 ]] || fail "there was a handshake before the first packet"
    done
}

both_shook_hands() { # both_shook_hands INITIATOR RESPONDER FAMILY SINCE
    (($(handshake_of "$1" "$2") >= $4)) || fail "the initiator shows no handshake"
    (($(handshake_of "$2" "$1") >= $4)) || fail "the responder shows no handshake"
    [[ $(endpoint_of "$2" "$1") == "$(bracketed "${outer[$1,$3]}"):$default_port" ]] ||
        fail "the responder has the initiator at $(endpoint_of "$2" "$1")"
}

transfers() {
    local from to family
    for family in 4 6; do
        for from in ours theirs; do
            to=$([[ $from == ours ]] && echo theirs || echo ours)
            copy "$from" "$to" "${inner[$to,$family]}" "$work/file"
        done
    done
    for from in ours theirs; do
        to=$([[ $from == ours ]] && echo theirs || echo ours)
        (($(sent_by "$from" "$to") > 2 * copied && $(received_by "$from" "$to") > 2 * copied)) ||
            fail "$from shows $(sent_by "$from" "$to") bytes sent and $(received_by "$from" "$to") received"
    done
}

for family in IPv4 IPv6; do
    for psk in "" "$work/psk"; do
        for initiator in ours theirs; do
            responder=$([[ $initiator == ours ]] && echo theirs || echo ours)
            since=$(date +%s)
            tunnel "$initiator" "$responder" "$family" "$psk"
            pings "$initiator" "${inner[$responder,4]}" 1
            both_shook_hands "$initiator" "$responder" "$family" "$since"
            transfers
            down ours
            down theirs
            step "over $family, $([[ $psk ]] && echo with || echo without) a preshared key, begun by $initiator: 100 MB each way, IPv4 and IPv6"
        done
    done
done
