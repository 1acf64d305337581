#!/usr/bin/env bash
# aead.sh: what `runtime: { aead: … }` says is what seals, the log and `show` say so, and it speaks with libsodium's side; a router
# that is to use libIPSec_MB and cannot does not start, and one that may choose goes without.
#
#   left ── wire ───────── wire ── right          outer: 10.0.0.1, 10.0.0.2
#    wg0 10.9.0.1/24 ······· wg0 10.9.0.2/24      left: ipsec-mb, right: libsodium
#
# Stand-ins for libIPSec_MB, found before Debian's: a file that is no library, and a library of a version that nobody knows.
set -euo pipefail
# shellcheck source=../../etc/lib/prerequisites.sh
. "$(dirname "$0")/../../etc/lib/prerequisites.sh"
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly exit_failure=1
compiler=$(command -v cc || command -v clang) || skip "needs a C compiler"
node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24

declare_pair() { # declare_pair LEFT RIGHT: with what each is to seal
    interface left fullbore addresses=10.9.0.1/24 extra="runtime: { aead: $1 }"
    interface right fullbore addresses=10.9.0.2/24 extra="runtime: { aead: $2 }"
    peer left right endpoint="10.0.0.2:$default_port" allowed=10.9.0.2/32
    peer right left endpoint="10.0.0.1:$default_port" allowed=10.9.0.1/32
}

shown_by() { on "$1" "$fullbore" show "$1" --json | jq -r .aead; }
says() { grep -qE -- "$2" "$work/$1/log" || fail "$1's log does not say '$2': $(cat "$work/$1/log")"; }

# ---- Without the library

mkdir "$work/none" "$work/other"
echo "no library" >"$work/none/libIPSec_MB.so.1"
"$compiler" -x c -shared -fPIC -Wl,-soname,libIPSec_MB.so.1 -o "$work/other/libIPSec_MB.so.1" - <<'C'
#include <stdlib.h>
unsigned imb_get_version(void) { return 9 << 16 | 8 << 8 | 7; }
void *alloc_mb_mgr(unsigned long flags) { abort(); }
void init_mb_mgr_auto(void *manager, int *architecture) { abort(); }
void free_mb_mgr(void *manager) { abort(); }
C
declare -A expected=(
    [none]='libIPSec_MB.so.1 is not installed'
    [other]='libIPSec_MB is of version 9.8.7, and only 1.3.0'
)
program=("${start[@]}")
for kind in none other; do
    start=(env "LD_LIBRARY_PATH=$work/$kind" "${program[@]}")
    declare_pair ipsec-mb auto
    start_fullbore left
    ends "${daemon[left]}" 5 || fail "$kind: it runs all the same: $(cat "$work/left/log")"
    [[ $ended == "$exit_failure" ]] || fail "$kind: status $ended"
    says left "ipsec-mb cannot be used: ${expected[$kind]}"
    up right
    if grep -qw avx512ifma /proc/cpuinfo; then reason=${expected[$kind]}; else reason="this CPU has no AVX-512 IFMA"; fi
    says right "ChaCha20-Poly1305 by libsodium: $reason"
    down right
    step "$kind: ${expected[$kind]}"
done
start=("${program[@]}")

# ---- With it

optional_packages aead || skip "what it does without libIPSec_MB has passed; the rest needs it: $missing"
declare_pair ipsec-mb libsodium
up left
up right
says left 'ChaCha20-Poly1305 by ipsec-mb: the file says so; libIPSec_MB 1\.3\.0'
says right 'ChaCha20-Poly1305 by libsodium: the file says so'
[[ $(shown_by left) == ipsec-mb && $(shown_by right) == libsodium ]] || fail "show: $(shown_by left), $(shown_by right)"
pings left 10.9.0.2
for size in 0 1 15 16 17 100 1000 1372 1392; do
    on left ping -q -c 1 -W 2 -M "do" -s "$size" 10.9.0.2 >/dev/null || fail "no answer to $size bytes"
done
iperf left right 10.9.0.2 -t 1
iperf left right 10.9.0.2 -t 1 -R
step "ipsec-mb and libsodium understand each other"
# Router solicitations have nowhere to go.
for name in left right; do
    ! drops_of "$name" | grep -v '^allowed-ips no-route ' || fail "$name drops that"
done
all_down
