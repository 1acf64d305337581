# shellcheck shell=bash disable=SC2034 # the sets are read by their names
# prerequisites.sh: what a machine needs before etc/demo, etc/test or etc/bench can work. Sourced, not run.
#
#   prerequisites SET…    checks the machine and installs the Debian packages of the sets that are missing (build, demo,
#                         test); names everything that is wrong and exits 1 when one of them can't be had
#   optional_packages SET the same for a set one can do without (aead, guest, python, script, memcheck, style): returns 1, with the reason in $missing
#
# A fresh machine may have nothing but Swift, so this file uses only what Debian calls essential.

readonly packages_build="git pkg-config libc6-dev libsodium-dev libmnl-dev libnftnl-dev libyaml-dev"
readonly packages_demo="iproute2 iputils-ping iperf3 jq socat"
readonly packages_test="$packages_demo nftables wireguard-go wireguard-tools dnsmasq-base"
readonly packages_aead="libipsec-mb1" # the tests of `aead: ipsec-mb`; amd64 only
readonly packages_script="python3" # Tests/Netns/drop-in.sh
readonly packages_memcheck="valgrind libc6-dbg" # Tests/Interop/c-library.sh
readonly packages_style="shellcheck" # Tests/Style/style.sh
readonly packages_python="python3 python3-venv curl" # mitmproxy, in Tests/Interop/mitmproxy.sh
readonly packages_guest="qemu-system-x86 xz-utils" # the kernel's own WireGuard, in Tests/Interop/kernel.sh

readonly swift_needed=6.3
missing=""

prerequisites() {
    local set list packages="" problems=()
    for set; do
        list=packages_$set
        packages+=" ${!list}"
    done

    [[ $(uname -s) == Linux ]] || problems+=("this is $(uname -s), not Linux")
    [[ $EUID == 0 ]] || problems+=("not root: network namespaces and TUN devices need it (try sudo)")
    [[ $EUID != 0 ]] || check_tun || problems+=("$missing")
    [[ $EUID != 0 ]] || unshare --net true 2>/dev/null || problems+=("the kernel gives us no network namespace (a container without CAP_SYS_ADMIN?)")
    [[ " $* " != *" build "* ]] || check_swift || problems+=("$missing")
    if ((${#problems[@]} == 0)); then
        install_missing "$packages" || problems+=("$missing")
    fi

    ((${#problems[@]} == 0)) || {
        printf '%s cannot run here:\n' "$(basename "$0")" >&2
        printf '  - %s\n' "${problems[@]}" >&2
        exit 1
    }
}

optional_packages() {
    local list=packages_$1
    install_missing "${!list}"
}

check_tun() {
    [[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null || true
    [[ -c /dev/net/tun ]] || { missing="no /dev/net/tun (modprobe tun, or give it to the container: --device /dev/net/tun)"; return 1; }
    (: <>/dev/net/tun) 2>/dev/null || { missing="/dev/net/tun can't be opened: the kernel has no TUN driver, or it is forbidden here"; return 1; }
}

check_swift() {
    local version leavings
    leavings=$(mktemp -d) # each call of swift leaves a folder behind
    version=$(TMPDIR=$leavings swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n1) || true
    rm -rf "$leavings"
    [[ $version ]] || { missing="no swift in PATH: install Swift $swift_needed or later from https://swift.org/install (under sudo, keep PATH: sudo env \"PATH=\$PATH\" $0)"; return 1; }
    [[ $(printf '%s\n' "$swift_needed" "$version" | sort -V | head -n1) == "$swift_needed" ]] ||
        { missing="Swift $swift_needed or later is needed, this is $version"; return 1; }
}

install_missing() { # install_missing "PACKAGE…"
    local package absent=() log
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        missing="not Debian (no apt-get), so its packages can't be installed:$1"
        return 1
    fi
    for package in $1; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || absent+=("$package")
    done
    ((${#absent[@]})) || return 0

    echo "Installing Debian packages: ${absent[*]}" >&2
    log=$(mktemp)
    # A fresh machine has no package lists, an old one has stale ones: fetch them when the first try fails.
    if apt_install "${absent[@]}" >"$log" 2>&1 || { apt-get -q update && apt_install "${absent[@]}"; } >"$log" 2>&1; then
        rm -f "$log"
    else
        missing="apt-get could not install ${absent[*]}: $(grep -m1 '^E:' "$log" || tail -n1 "$log")"
        rm -f "$log"
        return 1
    fi
}

apt_install() { DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@" </dev/null; }
