#!/usr/bin/env bash
# bad-start.sh [IMPL]: what it needs belongs to someone else, or its key isn't fit: it says so, ends with a status other
# than 0, leaves nothing behind, and whoever had the thing still has it.
#
#   alone: one namespace with wg0 or port 51820 taken in every way that is easily shared by mistake
#
# A multi-queue TUN device and a port with SO_REUSEPORT would otherwise be shared in silence: half the packets lost.
# With wireguard-go as IMPL only the device and port cases run, and those it is known not to see are told, not failed.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly impl=${1:-fullbore}
readonly exit_configuration=78

node alone
interface alone "$impl" addresses="192.168.241.1/24 fd00::1/64"
holder=""

host() {
    local family
    on alone ip -o link | cut -d: -f2
    for family in -4 -6; do
        on alone ip "$family" -o address | awk '{print $2, $4}'
        on alone ip "$family" route show table all
    done
    sysctl_of alone net/ipv4/ip_forward
    sysctl_of alone net/ipv6/conf/all/forwarding
    (cd "$work/alone/run" && find fullbore wireguard -mindepth 1 2>/dev/null) || true
}

refuses() { # refuses WHAT PATTERN [STATUS]: run fails within 5 s, its log matches PATTERN, the host is as before
    host >"$work/before"
    start_fullbore alone
    ends "${daemon[alone]}" 5 || fail "$1: it runs all the same: $(tail -n 5 "$work/alone/log")"
    [[ $ended != 0 ]] || fail "$1: it ended with status 0"
    ((ended < 128)) || fail "$1: it crashed with status $ended: $(tail -n 20 "$work/alone/log")"
    [[ ! ${3:-} || $ended == "$3" ]] || fail "$1: status $ended, expected $3: $(tail -n 5 "$work/alone/log")"
    grep -qiE -- "$2" "$work/alone/log" || fail "$1: the log does not say '$2': $(cat "$work/alone/log")"
    ! grep -qF -- "${private_key[alone]}" "$work/alone/log" || fail "$1: the log holds the private key"
    diff "$work/before" <(host) || fail "$1: it left something behind"
    step "$1: $(grep -iE -m1 -- "$2" "$work/alone/log")"
}

refuses_others() { # the same, as far as wireguard-go goes: the program starts, then the port can't be set
    up_uapi alone >/dev/null 2>&1 & # in a condition, set -e would not hold inside it
    if wait $!; then step "$1: $impl does not notice"; else step "$1: refused"; fi
    no_daemon
}

no_daemon() {
    # shellcheck disable=SC2046 # pids
    kill $(ip netns pids "$prefix-alone" | grep -vx "${holder:-none}") 2>/dev/null || true
    rm -rf "$work/alone/run/wireguard"
}

check() { if is_fullbore alone; then refuses "$@"; else refuses_others "$@"; fi; }

for kind in "" multi_queue; do
    # shellcheck disable=SC2086 # no argument when empty
    on alone ip tuntap add dev wg0 mode tun $kind
    check "a TUN device wg0 exists${kind:+, $kind}" 'wg0.*(in use|exists|taken|busy)'
    on alone ip tuntap del dev wg0 mode tun $kind
done
on alone ip link add wg0 type veth peer name other
check "a veth device wg0 exists" 'wg0.*(in use|exists|taken|busy)'
on alone ip link delete wg0

bound() { [[ $(on alone ss -Hlun "sport = :$default_port") ]]; }
for socket in UDP4-RECV UDP6-RECV; do
    for options in "" ,reuseport ,reuseaddr; do
        [[ $socket == UDP4-RECV ]] || options+=,ipv6only
        spawn alone "$work/holder.log" socat -u "$socket:$default_port$options" "CREATE:$work/held"
        holder=$spawned
        eventually 5 bound || fail "socat does not hold the port: $(cat "$work/holder.log")"
        check "port $default_port is held by $socket$options" "$default_port.*(in use|taken)"
        alive "$holder" || fail "the holder of the port is gone"
        kill "$holder"
        ends "$holder" 5
        holder=""
    done
done
is_fullbore alone || exit 0

mv "$work/alone/wg0.key" "$work/alone/elsewhere.key"
refuses "the key file is missing" 'wg0\.key' "$exit_configuration"
install -m 644 "$work/alone/elsewhere.key" "$work/alone/wg0.key"
refuses "the key file is world-readable" 'wg0\.key.*(readable|permission|mode)' "$exit_configuration"
rm -f "$work/alone/wg0.key"
(umask 077 && echo "not a key" >"$work/alone/wg0.key")
refuses "the key file holds no key" 'wg0\.key' "$exit_configuration"
mv "$work/alone/elsewhere.key" "$work/alone/wg0.key"
# root reads everything but for these two capabilities.
chmod 000 "$work/alone/wg0.key"
start=(setpriv "--bounding-set=-dac_override,-dac_read_search" "$fullbore")
refuses "the key file is unreadable" 'wg0\.key.*permission' "$exit_configuration"
start=("$fullbore")
chmod 600 "$work/alone/wg0.key"

# One error of each kind is a unit test; here, that all of a file are told at once, with their places, and nothing starts.
option[alone,mtu]=12
option[alone,extra]='colour: blue'
for pattern in 'router\.yaml:3:1: .*colour' 'router\.yaml:8:10: 12 is'; do refuses "errors in the file" "$pattern" "$exit_configuration"; done
on alone "$fullbore" check "$work/alone/router.yaml" >"$work/check" 2>&1 && fail "check finds nothing wrong"
cmp "$work/check" "$work/alone/log" || fail "check says something else than run"
option[alone,mtu]=1420 option[alone,extra]=""

# A second router of the same name: refused, and the first one goes on.
up alone
cp "$work/alone/log" "$work/first.log"
first=${daemon[alone]}
refuses "a router of this name runs" '(running|in use|exists|taken|busy)'
alive "$first" || fail "the second run ended the first"
on alone "$fullbore" show alone --json >/dev/null || fail "the first run is out of reach now"
daemon[alone]=$first
down alone
