#!/usr/bin/env bash
# secrets.sh: where a running program has its keys (S-13, P-9.7): each copy stands in memory that is locked and in no dump, none
# is written out as text, whether the keys came from files or from wg; and once a key or a peer is taken away there is none.
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 10.9.0.1/24 ············· wg0 10.9.0.2/24      left: a router with a file; right: a drop-in
#                                                       all memory of both is looked through from outside
#
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly block=1M psk=$work/psk
node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24

# grep looks for lines: a key with a line break in it would be two.
suitable_key() {
    local key
    while key=$(wg "$1"); base64 -d <<<"$key" | od -An -v -tx1 | grep -qw 0a; do :; done
    echo "$key"
}
private_key[left]=$(suitable_key genkey)
private_key[right]=$(suitable_key genkey)
preshared=$(suitable_key genpsk)
(umask 077 && echo "$preshared" >"$psk")

# ---- Looking from outside

# mappings PID: "FIRST END KIND" of each that may be written. It is kept where smaps says that it is locked (lo) and left out
# of dumps (dd), and open where not.
mappings() {
    awk '/^[0-9a-f]+-[0-9a-f]+ / {split($1, ends, "-"); writable = $2 ~ /^rw/}
         /^VmFlags:/ && writable {print ends[1], ends[2], / lo( |$)/ && / dd( |$)/ ? "kept" : "open"}' "/proc/$1/smaps"
}

readonly image=$work/image
take() { # take PID: its memory, a file for each mapping
    local first end kind
    rm -rf "$image"
    mkdir "$image"
    mappings "$1" >"$work/mappings"
    while read -r first end kind; do
        dd if="/proc/$1/mem" of="$image/$first-$kind" bs=$block iflag=skip_bytes,count_bytes conv=sparse status=none \
            skip=$((0x$first)) count=$((0x$end - 0x$first)) || fail "$first of process $1 cannot be read"
    done <"$work/mappings"
}

copies() { # copies NEEDLE: "FIRST-KIND:OFFSET" of each place where the bytes of the file NEEDLE stand in what was taken
    (cd "$image" && { LC_ALL=C grep -aobHF -f "$1" -- * || true; } | cut -d: -f1,2)
}

needles() { # needles KEY: the files bytes, hex and base64
    base64 -d <<<"$1" >"$work/bytes"
    od -An -v -tx1 "$work/bytes" | tr -d ' \n' >"$work/hex"
    printf '%s' "${1%=}" >"$work/base64"
}

expect_kept() { # expect_kept NODE KEY WHAT: there are copies, and all are where they should be
    local found
    expect_no_text "$@"
    found=$(copies "$work/bytes")
    [[ $found ]] || fail "$1: $3: not found at all, so nothing is known"
    [[ $found != *open* ]] || fail "$1: $3: outside of the memory for secrets:"$'\n'"$found"
}
expect_gone() {
    local found
    expect_no_text "$@"
    found=$(copies "$work/bytes")
    [[ ! $found ]] || fail "$1: $3: still there:"$'\n'"$found"
}
expect_no_text() {
    local form found
    needles "$2"
    for form in hex base64; do
        found=$(copies "$work/$form")
        [[ ! $found ]] || fail "$1: $3: as $form text:"$'\n'"$found"
    done
}

# ---- What it would find

# A shell with a key in a variable.
# shellcheck disable=SC2016 # expands in the inner shell
bash -c 'read -r key; echo "${key:0:1}"; exec 2>/dev/null; read -r' < <(echo "${private_key[left]}"; exec sleep 60) >"$work/shell" &
shell=$!
heard() { [[ -s $work/shell ]]; }
eventually 5 heard || fail "no shell"
needles "${private_key[left]}"
take "$shell"
[[ $(copies "$work/base64") == *open* ]] || fail "a key in a shell's variable is not found"
kill "$shell"
wait "$shell" || true
step "a key that lies about is found"

# ---- Two programs that should have none

interface left fullbore addresses=10.9.0.1/24
interface right fullbore-uapi addresses=10.9.0.2/24
peer left right endpoint="10.0.0.2:$default_port" allowed=10.9.0.2/32 psk="$psk"
peer right left allowed=10.9.0.1/32 psk="$psk"
up right
up left
pings left 10.9.0.2
for side in left right; do
    on "$side" wg show wg0 dump >"$work/dump" # which writes the keys out
    grep -qF "$preshared" "$work/dump" || fail "wg does not show the preshared key"
    take "${daemon[$side]}"
    expect_kept "$side" "${private_key[$side]}" "private key"
    expect_kept "$side" "$preshared" "preshared key"
done
step "S-13 keys from files and from wg stand in locked memory alone"

for side in left right; do
    other=$([[ $side == left ]] && echo right || echo left)
    on "$side" wg set wg0 peer "${public_key[$other]}" remove
    take "${daemon[$side]}"
    expect_gone "$side" "$preshared" "preshared key of a peer that is gone"
    expect_kept "$side" "${private_key[$side]}" "private key"
    on "$side" wg set wg0 private-key /dev/null
    take "${daemon[$side]}"
    expect_gone "$side" "${private_key[$side]}" "private key that is taken away"
done
step "P-9.7 what is taken away is nowhere"
down left
down right

# ---- More secrets than may be locked

# Without the capabilities to go beyond a limit, and with one of what is there from the beginning.
readonly limited=(setpriv "--bounding-set=-sys_resource,-ipc_lock" prlimit --memlock=65536:65536)
crowd() { # crowd COUNT: that many peers with preshared keys, for wg
    local number
    printf '[Interface]\n'
    for ((number = 0; number < $1; number++)); do
        printf '[Peer]\nPublicKey = %040dAAA=\nPresharedKey = %s\n' "$number" "$preshared"
    done
}
says() { grep -q "secrets may be swapped" "$work/left/log"; }
mkdir -p "$work/left/run/wireguard"
spawn left "$work/left/log" "${limited[@]}" env LOG_LEVEL=verbose WG_PROCESS_FOREGROUND=1 "$fullbore" -f wg0
daemon[left]=$spawned
eventually 10 has_socket left || fail "no drop-in: $(cat "$work/left/log")"
crowd 100 >"$work/few"
crowd 3000 >"$work/many"
on left wg setconf wg0 "$work/few"
! says || fail "the secrets of 100 peers are too many: $(cat "$work/left/log")"
on left wg setconf wg0 "$work/many"
eventually 2 says || fail "the secrets of 3000 peers are more than 64 KiB, and nothing is said"
on left wg setconf wg0 "$work/few"
on left wg setconf wg0 "$work/many"
(($(grep -c "secrets may be swapped" "$work/left/log") == 1)) || fail "it is said more than once"
down left
step "S-13 secrets that cannot be locked are told of, also when they come later"
