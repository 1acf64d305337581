#!/usr/bin/env bash
# c-library.sh: C programs with the WireGuard library, as somebody else would build them: one has two tunnels in memory, another
# one speaks with a real peer through a socket.
#
#   left ── wire ───────────────── wire ── right        outer: 10.0.0.{1,2}
#    ping, 10.9.0.1 ······················ wg0 10.9.0.2/24, wireguard-go and then Fullbore
#
# timeout: 400
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"
# shellcheck source=../../etc/lib/library.sh
. "$(dirname "$0")/../../etc/lib/library.sh"
# shellcheck source=../../etc/lib/prerequisites.sh
. "$(dirname "$0")/../../etc/lib/prerequisites.sh"

build_library
compile talk -O1 -g
compile ping -O1 -g
"$cc" -std=c11 -Wall -Wextra -Werror -pedantic -fsyntax-only -x c Sources/CWireGuard/include/fullbore_wireguard.h
step "two programs and the header compile without a warning"

"$work/talk" || fail "two tunnels in one program"
step "two tunnels in one program"
node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24
for implementation in wireguard-go fullbore; do
    interface right "$implementation" addresses=10.9.0.2/24
    private_key[left]=$(wg genkey)
    public_key[left]=$(wg pubkey <<<"${private_key[left]}")
    peer right left allowed=10.9.0.1/32
    up right
    on left "$work/ping" "${private_key[left]}" "${public_key[right]}" 10.0.0.2 "$default_port" 10.9.0.1 10.9.0.2 ||
        fail "$implementation does not answer"
    down right
    step "a C program's ping is answered by $implementation"
done

optional_packages memcheck || skip "all but the memory check has passed; that takes valgrind: $missing"
# Swift's runtime keeps what it has made of its metadata; what is lost is lost by us.
valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    "$work/talk" >"$work/valgrind.log" 2>&1 || { cat "$work/valgrind.log"; fail "valgrind has found something"; }
step "nothing lost, nothing touched that is not ours (valgrind)"
