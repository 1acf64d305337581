# shellcheck shell=bash disable=SC2154 # repo and work are those of script.sh, which stands above this in a script
# library.sh: C programs of Tests/CLibrary with the WireGuard library, as somebody else would build them. Sourced, not run.
#
#   build_library              the dynamic library, in its release build
#   compile NAME [OPTION…]     Tests/CLibrary/NAME.c with it, to $work/NAME
#   find_compiler              $cc is a C compiler then

library="" cc=""

build_library() {
    cd "$repo" || fail "no $repo"
    library=$(swift build -c release --show-bin-path)
    interruptible swift build -c release --product fullbore-wireguard >"$work/build.log" 2>&1 ||
        { cat "$work/build.log"; fail "the library does not build"; }
    find_compiler
}

find_compiler() { # the machine's, or the one that comes with Swift
    cc=$(command -v cc || true)
    [[ $cc ]] || cc=$(dirname "$(readlink -f "$(command -v swift)")")/clang
    [[ -x $cc ]] || fail "no C compiler: neither cc nor swift is in PATH"
}

compile() {
    local name=$1
    shift
    "$cc" -std=c11 -Wall -Wextra -Werror "$@" -I Sources/CWireGuard/include -o "$work/$name" "Tests/CLibrary/$name.c" \
        -L "$library" -lfullbore-wireguard "-Wl,-rpath,$library"
}
