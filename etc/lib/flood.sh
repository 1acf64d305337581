# shellcheck shell=bash
# flood.sh: WireGuard initiations from forged addresses in 10.66.0.0/16, as many a second as one likes. Sourced, not run.
#
#   flood_program                     builds it: Tests/CLibrary/flood.c with the WireGuard library
#   flood NODE TARGET ADDRESS KIND RATE SECONDS [PORT]
#                                     begins it: from NODE to TARGET's wg0 at ADDRESS, or to another PORT there; KIND is `valid` (a good mac1, which the
#                                     public key is enough for) or `bad`; the rate that was managed is in $work/rate then
#   flood_ends                        waits for its end; fails when it broke off
#   stop_flood                        ends it

# shellcheck source=tunnel.sh
. "$(dirname "${BASH_SOURCE[0]}")/tunnel.sh"
# shellcheck source=library.sh
. "$(dirname "${BASH_SOURCE[0]}")/library.sh"

flooding=""

flood_program() {
    build_library
    compile flood -O2
}

flood() {
    spawn "$1" "$work/rate" "$work/flood" "${public_key[$2]}" "$3" "${7:-$default_port}" "$5" "$6" "$4"
    flooding=$spawned
}

flood_ends() { wait "$flooding" || fail "the flood broke off"; }

stop_flood() { { kill "$flooding" && wait "$flooding"; } 2>/dev/null || true; }
