# shellcheck shell=bash
# flood.sh: WireGuard initiations from forged addresses in 10.66.0.0/16, as many a second as one likes. Sourced, not run.
#
#   flood_program                     builds it: Tests/CLibrary/flood.c with the WireGuard library
#   flood NODE TARGET ADDRESS KIND RATE SECONDS
#                                     begins it: from NODE to TARGET's wg0 at ADDRESS; KIND is `valid` (a good mac1, which the
#                                     public key is enough for) or `bad`; the rate that was managed is in $work/rate then
#   flood_ends                        waits for its end; fails when it broke off
#   stop_flood                        ends it

# shellcheck source=tunnel.sh
. "$(dirname "${BASH_SOURCE[0]}")/tunnel.sh"

flooding=""

flood_program() {
    local library cc
    cd "$repo"
    library=$(swift build -c release --show-bin-path)
    interruptible swift build -c release --product fullbore-wireguard >"$work/build.log" 2>&1 ||
        { cat "$work/build.log"; fail "the library does not build"; }
    cc=$(command -v cc || true) # or the compiler that comes with Swift
    [[ $cc ]] || cc=$(dirname "$(readlink -f "$(command -v swift)")")/clang
    "$cc" -std=c11 -O2 -Wall -Wextra -Werror -I Sources/CWireGuard/include -o "$work/flood" Tests/CLibrary/flood.c \
        -L "$library" -lfullbore-wireguard "-Wl,-rpath,$library"
}

flood() {
    spawn "$1" "$work/rate" "$work/flood" "${public_key[$2]}" "$3" "$default_port" "$5" "$6" "$4"
    flooding=$spawned
}

flood_ends() { wait "$flooding" || fail "the flood broke off"; }

stop_flood() { { kill "$flooding" && wait "$flooding"; } 2>/dev/null || true; }
