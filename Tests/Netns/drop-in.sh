#!/usr/bin/env bash
# drop-in.sh [PROGRAM]: `fullbore IFNAME` as wireguard-go's users know it: the background, descriptors handed over, ends by
# the link, the socket and signals, a second start refused, the link followed (P-8, P-9.1, P-9.8, P-9.9), an MTU of 1420 (P-1.9).
# Without PROGRAM it is the Fullbore that is tested; of another one it is told what it does otherwise.
#
#   left ── wire ───────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 192.168.241.1/24 ·········· wg0 192.168.241.2/24
#
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"
# shellcheck source=../../etc/lib/prerequisites.sh
. "$(dirname "$0")/../../etc/lib/prerequisites.sh"

readonly program=${1:-$fullbore}
readonly socket=/run/wireguard/wg0.sock
readonly left_key=$work/left.key right_key=$work/right.key
(umask 077 && wg genkey >"$left_key" && wg genkey >"$right_key")

node left right other
wire left wire right wire
address left wire 10.0.0.1/24 fd00:aa::1/64
address right wire 10.0.0.2/24 fd00:aa::2/64

# What only Fullbore promises: another program's otherwise is told, and is no failure.
readonly another=${1:+yes}
differs() { if [[ $another ]]; then say "otherwise: $1"; else fail "$1"; fi; }

served() { on "$1" wg show wg0 >/dev/null 2>&1; }
linked() { on "$1" ip link show wg0 >/dev/null 2>&1; }
bound() { [[ $(on "$1" ss -Hlun "sport = :$default_port") ]]; }
unbound() { ! bound "$1"; }
process_of() { ip netns pids "$prefix-$1"; }
left_over() { [[ $(process_of left) ]] || linked left || [[ -e $work/left/$socket ]]; }
nothing_left() { ! left_over; }
expect_end() { eventually 5 nothing_left || fail "$1: left are processes '$(process_of left)', $(on left ls -1 /run/wireguard 2>&1)"; }

configure() { # configure NODE KEY OTHER-KEY ADDRESS OTHER-ADDRESS OUTER
    on "$1" wg set wg0 private-key "$2" listen-port "$default_port" peer "$(wg pubkey <"$3")" \
        allowed-ips "$5/32" endpoint "$6:$default_port"
    address "$1" wg0 "$4/24"
    ip -n "$prefix-$1" link set wg0 up
}
configure_left() { configure left "$left_key" "$right_key" 192.168.241.1 192.168.241.2 10.0.0.2; }

on right "$program" wg0
configure right "$right_key" "$left_key" 192.168.241.2 192.168.241.1 10.0.0.1

# ---- the background

on left "$program" wg0 >"$work/out" 2>&1 </dev/null
served left || fail "the starter has ended, and wg does not see the interface"
process=$(process_of left)
[[ $(wc -l <<<"$process") == 1 ]] || fail "not one process: $process"
[[ $(awk '/^PPid/ {print $2}' "/proc/$process/status") != "$$" ]] || fail "it is our child"
[[ $(awk '{print $6}' "/proc/$process/stat") == "$process" ]] || differs "it is in somebody else's session"
[[ ! -s $work/out ]] || differs "it has something to say: $(cat "$work/out")"
for descriptor in 0 1 2; do
    [[ $(readlink "/proc/$process/fd/$descriptor") == /dev/null ]] || differs "it keeps descriptor $descriptor"
done
[[ $(ip -n "$prefix-left" -o link show wg0) == *"mtu 1420"* && $(ip -n "$prefix-left" -o link show wg0) != *UP,* ]] ||
    fail "the interface is not down with an MTU of 1420: $(ip -n "$prefix-left" -o link show wg0)"
[[ $(stat -c %a "$work/left/run/wireguard") == 755 && $(stat -c %a "$work/left/$socket") == 700 ]] || differs "the socket's permissions"
step "in the background once wg sees it"

# ---- P-9.1: the link is followed

configure_left
eventually 5 bound left || differs "P-9.1: up, and no socket"
pings left 192.168.241.2
[[ ! $(ip -n "$prefix-left" -6 address show dev wg0 scope link) ]] || differs "P-9.9: an IPv6 link-local address"
ip -n "$prefix-left" link set wg0 down
eventually 5 unbound left || differs "P-9.1: down, and the socket is open"
[[ $(on left wg show wg0 listen-port) == "$default_port" ]] || differs "P-9.1: the port is forgotten"
ip -n "$prefix-left" link set wg0 up
eventually 5 bound left || differs "P-9.1: up again, and no socket"
pings left 192.168.241.2
on left wg set wg0 peer "$(wg pubkey <"$right_key")" persistent-keepalive 1
handshakes=$(on left wg show wg0 latest-handshakes | cut -f2)
fresh() { (($(on left wg show wg0 latest-handshakes | cut -f2) > handshakes)); }
sleep 1.1 # handshakes are told in seconds, and a peer takes one in 20 ms (P-2.9)
ip -n "$prefix-left" link set wg0 down
ip -n "$prefix-left" link set wg0 up
eventually 3 fresh || differs "P-5.12: up, and a peer with a keepalive is not greeted"
on left wg set wg0 peer "$(wg pubkey <"$right_key")" persistent-keepalive 0
step "P-9.1, P-5.12 down closes the socket, up opens it and greets"

ip -n "$prefix-left" link set wg0 mtu 1300
pings left 192.168.241.2
ip -n "$prefix-left" link set wg0 mtu 9000
ip -n "$prefix-right" link set wg0 mtu 9000
on left ping -q -c 3 -i 0.2 -s 8000 -W 2 192.168.241.2 >/dev/null || differs "large packets do not pass after the MTU has grown"
step "the MTU as ip sets it"

# ---- P-9.8: the link in another namespace, under another name; the sockets stay

ip -n "$prefix-left" link set wg0 netns "$prefix-other"
ip -n "$prefix-other" link set wg0 name tunnel
address other tunnel 192.168.241.1/24
ip -n "$prefix-other" link set tunnel up
eventually 5 bound left || differs "P-9.8: no socket where it was made"
pings other 192.168.241.2
ip -n "$prefix-other" link set tunnel netns "$prefix-left"
ip -n "$prefix-left" link set tunnel name wg0
address left wg0 192.168.241.1/24
ip -n "$prefix-left" link set wg0 up
eventually 5 bound left || differs "P-9.8: back, and no socket"
pings left 192.168.241.2
step "P-9.8 moved to another namespace and back, under another name"

# ---- only once, and its ends

! on left "$program" wg0 2>"$work/error" || fail "a second one has started"
[[ -s $work/error ]] || fail "a second start is refused without a word"
served left || fail "a second start has hurt the first"
step "a second start is refused: $(tail -n1 "$work/error")"

ip -n "$prefix-left" link delete wg0
expect_end "the link was deleted"
on left "$program" wg0
on left rm "/var$socket"
expect_end "the socket was removed"
for signal in TERM INT; do
    on left "$program" wg0
    kill -"$signal" "$(process_of left)"
    expect_end "SIG$signal"
done
step "ends when its link or its socket is gone, by SIGTERM and SIGINT"

spawn left "$work/foreground.log" "$program" -f wg0
eventually 5 served left || fail "-f: not served"
ip -n "$prefix-left" link delete wg0
ends "$spawned" 5 || fail "-f: does not end"
[[ $ended == 0 ]] || differs "-f: status $ended when the link is deleted: $(cat "$work/foreground.log")"
spawn left "$work/foreground.log" env WG_PROCESS_FOREGROUND=1 LOG_LEVEL=verbose "$program" wg0
eventually 5 served left || fail "WG_PROCESS_FOREGROUND: not served"
kill "$spawned"
ends "$spawned" 5
[[ $ended == 0 ]] || differs "WG_PROCESS_FOREGROUND: status $ended after SIGTERM"
[[ -s $work/foreground.log ]] || fail "LOG_LEVEL=verbose says nothing"
expect_end "WG_PROCESS_FOREGROUND"
! on left "$program" "no/name" 2>/dev/null || fail "a name that cannot be is taken"
on left "$program" wg0
process=$(process_of left)
kill -9 "$process"
eventually 5 gone "$process" || fail "it outlives SIGKILL"
on left "$program" wg0 || fail "what a crash has left is in the way"
kill "$(process_of left)"
expect_end "after a crash"
step "the foreground, by -f and by WG_PROCESS_FOREGROUND; a dead socket is replaced"

# ---- descriptors handed over

cat >"$work/hand-over.py" <<'PYTHON'
"""hand-over.py FLAGS PROGRAM NAME: makes the TUN device and the UAPI socket, and lets PROGRAM have them."""
import fcntl, os, socket, struct, sys
flags, program, name = int(sys.argv[1], 0), sys.argv[2], sys.argv[3]
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22s", name.encode(), flags, b""))  # TUNSETIFF
os.makedirs("/var/run/wireguard", exist_ok=True)
uapi = socket.socket(socket.AF_UNIX)
uapi.bind(f"/var/run/wireguard/{name}.sock")
uapi.listen()
for descriptor in tun, uapi.fileno():
    os.set_inheritable(descriptor, True)
os.environ.update(WG_TUN_FD=str(tun), WG_UAPI_FD=str(uapi.fileno()))
os.execvp(program, [program, name])
PYTHON
optional_packages script || skip "all but descriptors handed over has passed; those take Python: $missing"
for flags in 0x1001 0x5001; do # IFF_TUN | IFF_NO_PI, and IFF_VNET_HDR
    on left python3 "$work/hand-over.py" "$flags" "$program" wg0 || fail "with descriptors ($flags) it does not start"
    configure_left
    eventually 5 bound left || fail "descriptors ($flags): no socket"
    (pings left 192.168.241.2 && iperf left right 192.168.241.2 -t 1) || differs "no traffic with descriptors ($flags)"
    kill "$(process_of left | head -n1)"
    expect_end "with descriptors ($flags)"
done
step "WG_TUN_FD and WG_UAPI_FD, a device with virtio headers and one without"
