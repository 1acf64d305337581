# shellcheck shell=bash disable=SC2154 # what the files above this one set
# The pairs of routers that `etc/bench tunnel` measures, each with a host behind either of them.

# shellcheck source=../../lib/tunnel.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/tunnel.sh"

readonly tunnel_mtu=1420
# The far ends, seen from the left: the right router, and the host behind it.
readonly -A router_address=([4]=10.9.0.2 [6]=fd09::2) host_address=([4]=10.9.2.2 [6]=fd09:2::2)
readonly -A wire_address=([4]=10.0.0.2 [6]=fd00::2)

start_pair() { # start_pair NAME PROGRAM [SETTING]…: the routers NAME-left and NAME-right, with settings of the left one's `interface`
    local name=$1 program=$2 left=$1-left right=$1-right
    shift 2
    node "$left" "$right" "$left-host" "$right-host"
    wire "$left" wire "$right" wire
    address "$left" wire 10.0.0.1/24 fd00::1/64
    address "$right" wire "${wire_address[4]}/24" "${wire_address[6]}/64"
    start_host "$left" 10.9.1 fd09:1:
    start_host "$right" 10.9.2 fd09:2:
    interface "$left" "$program" mtu="$tunnel_mtu" addresses="10.9.0.1/24 fd09::1/64" "$@"
    interface "$right" "$program" mtu="$tunnel_mtu" addresses="10.9.0.2/24 fd09::2/64"
    peer "$left" "$right" endpoint="${wire_address[4]}:$default_port" allowed="10.9.0.2/32 10.9.2.0/24 fd09::2/128 fd09:2::/64"
    peer "$right" "$left" endpoint="10.0.0.1:$default_port" allowed="10.9.0.1/32 10.9.1.0/24 fd09::1/128 fd09:1::/64"
    up "$left"
    up "$right"
    pings "$left" "${router_address[4]}"
    pings "$left-host" "${host_address[6]}"
    iperf "$left" "$right" "${router_address[4]}" -C cubic -t 1 # warm up
}

start_host() { # start_host ROUTER V4 V6: a host behind it, with the router's prefixes
    local router=$1 host=$1-host
    wire "$router" lan "$host" lan
    ip -n "$prefix-$router" link set lan mtu "$tunnel_mtu"
    ip -n "$prefix-$host" link set lan mtu "$tunnel_mtu"
    address "$router" lan "$2.1/24" "$3:1/64"
    address "$host" lan "$2.2/24" "$3:2/64"
    ip -n "$prefix-$host" route add default via "$2.1"
    ip -n "$prefix-$host" route add default via "$3:1"
}

outer_family() { # outer_family NAME 4|6: the tunnel goes over that from now on; the other end follows
    on "$1-left" wg set wg0 peer "${public_key[$1-right]}" endpoint "$(bracketed "${wire_address[$2]}"):$default_port"
    pings "$1-left" "${router_address[4]}" 1
    [[ $(endpoint_of "$1-right" "$1-left") == *"${wire_address[$2]%2}"1* ]] || fail "$1: the tunnel does not go over IPv$2"
}
