#!/usr/bin/env bash
# kernel.sh [IMPL]: IMPL (fullbore when left out) against the Linux kernel's own WireGuard in a QEMU guest: either one as the
# initiator, with and without a preshared key, over IPv4 and IPv6; each time 2 MB both ways over IPv4 and IPv6 inside, with
# equal sha256. The guest is emulated where there is no KVM, so this shows that they agree, not how fast.
#
#   ours ── tap ───────────────── eth0 ── the guest     outer: 10.0.0.{1,2}, fd00:aa::{1,2}
#    wg0 10.9.0.1/24, fd09::1/64 ·· wg0 10.9.0.2/24, fd09::2/64
#
# Only the initiator knows an endpoint, so the other one cannot have begun. Skipped where QEMU or Debian's kernel can't be had.
#
# timeout: 600
set -euo pipefail
# shellcheck source=../../etc/lib/prerequisites.sh
. "$(dirname "$0")/../../etc/lib/prerequisites.sh"
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly ours=${1:-fullbore}
readonly kernel_wg=$repo/Tests/Interop/kernel-wg
readonly cache=$repo/.build/kernel-wg
readonly patience=90 # seconds for one answer of the guest

[[ $(uname -m) == x86_64 ]] || skip "the guest is amd64, this machine is $(uname -m)"
optional_packages guest || skip "no QEMU: $missing"
build() { interruptible "$kernel_wg" build "$cache" >"$work/build.log" 2>&1; }
build || { apt-get -q update >>"$work/build.log" 2>&1 && build; } ||
    skip "Debian's kernel can't be fetched: $(grep kernel-wg: "$work/build.log" | tail -n1)"
step "QEMU and Debian's kernel are here"

node ours
on ours ip tuntap add dev tap mode tap
ip -n "$prefix-ours" link set tap up
address ours tap 10.0.0.1/24 fd00:aa::1/64
interface ours "$ours" addresses="10.9.0.1/24 fd09::1/64"
private_key[guest]=$(wg genkey)
public_key[guest]=$(wg pubkey <<<"${private_key[guest]}")
psk_value=$(wg genpsk)
(umask 077 && echo "$psk_value" >"$work/psk")
declare -A outer=([ours,IPv4]=10.0.0.1 [guest,IPv4]=10.0.0.2 [ours,IPv6]=fd00:aa::1 [guest,IPv6]=fd00:aa::2)
declare -A inner=([ours,4]=10.9.0.1 [guest,4]=10.9.0.2 [ours,6]=fd09::1 [guest,6]=fd09::2)

boot() {
    printf '[Interface]\nPrivateKey = %s\nListenPort = %s\n' "${private_key[guest]}" "$default_port" >"$work/guest.conf"
    mkfifo "$work/to-guest" "$work/from-guest"
    ip netns exec "$prefix-ours" "$kernel_wg" run "$cache" --tap tap --guest-ip 10.0.0.2/24,fd00:aa::2/64 \
        --wg-conf "$work/guest.conf" --wg-addr 10.9.0.2/24,fd09::2/64 --console "$work/console" \
        <"$work/to-guest" >"$work/from-guest" 2>"$work/kernel-wg.log" &
    guest_process=$!
    exec 5>"$work/to-guest" 4<"$work/from-guest"
    local line=""
    read -r -t 150 line <&4 || true
    [[ $line == READY ]] || fail "the guest does not boot: $line $(tail -n 30 "$work/kernel-wg.log")"
    step "$(cat "$work/kernel-wg.log"), $(in_guest uname -r)"
}

in_guest() { # in_guest COMMAND: its output, its status
    local line
    printf 'sh %s\n' "$*" >&5
    while IFS= read -r -t "$patience" line <&4; do
        [[ $line != "DONE "* ]] || return "${line#DONE }"
        printf '%s\n' "$line"
    done
    fail "the guest does not answer to: $*"
}

guest_shows() { in_guest wg show wg0 "$1" | cut -f2; } # endpoints, latest-handshakes

tunnel() { # tunnel INITIATOR FAMILY PSK-FILE
    local guest_peer="wg set wg0 peer ${public_key[ours]} allowed-ips 10.9.0.1/32,fd09::1/128"
    peer ours guest psk="$3" allowed="10.9.0.2/32 fd09::2/128"
    if [[ $1 == ours ]]; then
        option[ours,guest,endpoint]=$(bracketed "${outer[guest,$2]}"):$default_port
    else
        guest_peer+=" endpoint $(bracketed "${outer[ours,$2]}"):$default_port"
    fi
    [[ ! $3 ]] || guest_peer="echo $psk_value >/tmp/psk; $guest_peer preshared-key /tmp/psk"
    up ours
    in_guest "wg set wg0 peer ${public_key[ours]} remove; $guest_peer" || fail "wg set, in the guest"
    if [[ $1 == ours ]]; then
        [[ $(guest_shows endpoints) == "(none)" ]] || fail "the guest knows an endpoint before it is spoken to"
    else
        expect_endpoint ours guest "(none)"
    fi
    [[ $(handshake_of ours guest) == 0 && $(guest_shows latest-handshakes) == 0 ]] || fail "a handshake before the first packet"
}

both_shook_hands() { # both_shook_hands INITIATOR FAMILY
    (($(handshake_of ours guest) > 0)) || fail "ours shows no handshake"
    (($(guest_shows latest-handshakes) > 0)) || fail "the guest shows no handshake"
    if [[ $1 == ours ]]; then
        [[ $(guest_shows endpoints) == "$(bracketed "${outer[ours,$2]}"):$default_port" ]] ||
            fail "the guest has us at $(guest_shows endpoints)"
    else
        expect_endpoint ours guest "$(bracketed "${outer[guest,$2]}"):$default_port"
    fi
}

to_guest() { # to_guest FAMILY
    local sum
    in_guest "rm -f /tmp/sum; (nc -l -p $copy_port >/tmp/in; sha256sum </tmp/in >/tmp/sum.new; mv /tmp/sum.new /tmp/sum) >/dev/null 2>&1 </dev/null &"
    on ours timeout "$patience" socat -u "OPEN:$cache/known.bin" "TCP$1:$(bracketed "${inner[guest,$1]}"):$copy_port,retry=100,interval=0.1" ||
        fail "the copy to the guest over IPv$1 was cut off"
    sum=$(in_guest "while [ ! -e /tmp/sum ]; do usleep 50000; done; cut -d' ' -f1 /tmp/sum")
    [[ $sum == "$(cat "$cache/known.sha256")" ]] || fail "sha256 differs in the guest, over IPv$1"
}

from_guest() { # from_guest FAMILY
    spawn ours "$work/receiver.log" timeout "$patience" socat -u "TCP$1-LISTEN:$copy_port,reuseaddr" "OPEN:$work/received,creat,trunc"
    eventually 5 listening ours "$copy_port" || fail "socat does not listen"
    in_guest "nc ${inner[ours,$1]} $copy_port </known.bin" || fail "the copy from the guest over IPv$1 was cut off"
    wait "$spawned" || fail "the copy from the guest over IPv$1 did not end: $(cat "$work/receiver.log")"
    sha256sum <"$work/received" | grep -q "^$(cat "$cache/known.sha256")" || fail "sha256 differs here, over IPv$1"
}

boot
for family in IPv4 IPv6; do
    for psk in "" "$work/psk"; do
        for initiator in ours guest; do
            tunnel "$initiator" "$family" "$psk"
            if [[ $initiator == ours ]]; then
                pings ours 10.9.0.2 1
            else
                in_guest "ping -c 1 -W 5 10.9.0.1 >/dev/null" || fail "the guest's first ping is not answered"
            fi
            both_shook_hands "$initiator" "$family"
            for inner_family in 4 6; do
                to_guest "$inner_family"
                from_guest "$inner_family"
            done
            down ours
            step "over $family, $([[ $psk ]] && echo with || echo without) a preshared key, begun by $initiator: 2 MB each way, IPv4 and IPv6"
        done
    done
done

echo quit >&5
ends "$guest_process" 10 || fail "the guest does not power off"
[[ $ended == 0 ]] || fail "kernel-wg: $(cat "$work/kernel-wg.log")"
