# shellcheck shell=bash disable=SC2034 # what this sets is for the scripts that source it
# namespaces.sh: nodes, which are network namespaces with a /run and a state directory of their own, and what runs in them. Sourced, not run.
#
#   node NAME…                  makes nodes; the namespace is $prefix-NAME
#   on NODE CMD…                runs CMD in a node
#   spawn NODE LOG CMD…         starts CMD in a node in the background; its pid is in $spawned
#   wire A IF B IF              joins two nodes by a veth pair, both ends up
#   address NODE IF CIDR…       adds addresses
#   sysctl_of NODE KEY [VALUE]  reads or writes /proc/sys/KEY there
#   alive PID, ends PID SECONDS is it running; wait until it has ended (its status is in $ended)
#
# The private /run keeps /run/wireguard/wg0.sock and /run/fullbore/NAME/ of two nodes apart: a network namespace alone
# shares the file system with all others.

# shellcheck source=script.sh
. "$(dirname "${BASH_SOURCE[0]}")/script.sh"

readonly prefix="fb$$"
nodes=()
spawned=""
ended=""
[[ -d /run/netns ]] || at_exit forget_run_netns
at_exit end_nodes

node() {
    local name
    for name; do
        nodes+=("$name")
        ip netns add "$prefix-$name"
        mkdir -p "$work/$name/run" "$work/$name/state"
        ip -n "$prefix-$name" link set lo up
        # Duplicate address detection holds a new IPv6 address back for a second or more. One congestion control
        # everywhere, so that rates mean the same on every machine. A namespace inherits forwarding: start from off.
        # shellcheck disable=SC2016 # expands in the inner shell
        on "$name" sh -c 'cd /proc/sys/net
            for i in all default; do echo 0 >ipv6/conf/$i/accept_dad; done
            echo 0 >ipv4/ip_forward; echo 0 >ipv6/conf/all/forwarding
            echo cubic >ipv4/tcp_congestion_control' 2>/dev/null || true
    done
}

# shellcheck disable=SC2016 # expands in the inner shell
readonly enter='mount --bind "$0/run" /run && exec env --default-signal=INT,QUIT FULLBORE_STATE_DIR="$0/state" "$@"' # a shell's background jobs ignore both

on() {
    local name=$1
    shift
    ip netns exec "$prefix-$name" sh -c "$enter" "$work/$name" "$@"
}

spawn() {
    local name=$1 log=$2
    shift 2
    : >"$log" # before the child does it, or a reader might still see an earlier one
    ip netns exec "$prefix-$name" sh -c "$enter" "$work/$name" "$@" >"$log" 2>&1 </dev/null &
    spawned=$!
}

wire() {
    ip -n "$prefix-$1" link add "$2" type veth peer name "$4" netns "$prefix-$3"
    ip -n "$prefix-$1" link set "$2" up
    ip -n "$prefix-$3" link set "$4" up
}

address() {
    local name=$1 interface=$2 cidr
    shift 2
    for cidr; do ip -n "$prefix-$name" address add "$cidr" dev "$interface"; done
}

sysctl_of() {
    # shellcheck disable=SC2016 # expands in the inner shell
    if (($# == 3)); then on "$1" sh -c 'echo "$1" >"/proc/sys/$0"' "$2" "$3"; else on "$1" cat "/proc/sys/$2"; fi
}

# A killed process's first thread can be a zombie while another still holds its sockets: all of them count.
alive() { grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/task/"*/status; }
gone() { ! alive "$1"; }

ends() {
    eventually "$2" gone "$1" || return 1
    ended=0
    wait "$1" 2>/dev/null || ended=$?
}

end_nodes() { # the cleanup: ask every process in our namespaces to end, then insist
    local name signal
    for signal in TERM KILL; do
        for name in "${nodes[@]}"; do
            # shellcheck disable=SC2046 # pids
            kill -"$signal" $(ip netns pids "$prefix-$name" 2>/dev/null) 2>/dev/null
        done
        eventually 2 no_process && break
    done
    for name in "${nodes[@]}"; do ip netns delete "$prefix-$name" 2>/dev/null; done
    return 0
}

no_process() {
    local name
    for name in "${nodes[@]}"; do [[ ! $(ip netns pids "$prefix-$name" 2>/dev/null) ]] || return 1; done
}

forget_run_netns() { # `ip netns add` made and mounted the folder: it goes when it is empty again
    [[ ! $(ls -A /run/netns 2>/dev/null) ]] || return 0
    umount /run/netns 2>/dev/null
    rmdir /run/netns 2>/dev/null
    return 0
}
