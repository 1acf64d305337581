# shellcheck shell=bash disable=SC2154 # repo and work are those of script.sh, which stands above this in a script
# library.sh: C programs of Tests/CLibrary with the WireGuard library, as somebody else would build them. Sourced, not run.
#
#   build_library              the dynamic library, in its release build
#   compile NAME [OPTION…]     Tests/CLibrary/NAME.c with it, to $work/NAME

library=""

build_library() {
    cd "$repo" || fail "no $repo"
    library=$(swift build -c release --show-bin-path)
    interruptible swift build -c release --product fullbore-wireguard >"$work/build.log" 2>&1 ||
        { cat "$work/build.log"; fail "the library does not build"; }
    cc=$(command -v cc || true) # or the compiler that comes with Swift
    [[ $cc ]] || cc=$(dirname "$(readlink -f "$(command -v swift)")")/clang
}

compile() {
    local name=$1
    shift
    "$cc" -std=c11 -Wall -Wextra -Werror "$@" -I Sources/CWireGuard/include -o "$work/$name" "Tests/CLibrary/$name.c" \
        -L "$library" -lfullbore-wireguard "-Wl,-rpath,$library"
}
