# shellcheck shell=bash
# tunnel.sh: a WireGuard interface wg0 on a node, served by Fullbore or by anything that speaks the wg tool's UAPI, so that
# every scenario can also be proven with another implementation on either side. Sourced, not run.
#
#   interface NODE IMPL [port=N] [mtu=N] [addresses="CIDR…"] [workers=N] [extra=YAML]
#                 declares NODE's wg0; IMPL is `fullbore` (a router with a file), `fullbore-uapi` (the same program as
#                 drop-in, set up by wg and ip), `wireguard-go` or the path of a program with wireguard-go's usage.
#                 A second call keeps NODE's keys and forgets its peers
#   peer NODE OTHER [allowed="CIDR…"] [endpoint=ADDRESS:PORT] [keepalive=S] [psk=FILE] [extra="KEY: VALUE"]
#   up NODE       starts it and waits until packets can flow; its pid is in ${daemon[NODE]}, its log $work/NODE/log
#   down NODE     SIGTERM; fails unless it ends in time with status 0
#   all_down      the same for all that are still up
#   endpoint_of, handshake_of, received_by, sent_by NODE OTHER
#                 what NODE shows of its peer OTHER: ADDRESS:PORT or (none); Unix seconds or 0; bytes; bytes
#   drops_of NODE the reasons that Fullbore on NODE has dropped anything for: "STAGE REASON COUNT" a line

# shellcheck source=traffic.sh
. "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

readonly fullbore=${FULLBORE:-$repo/.build/release/fullbore}
readonly default_port=51820
declare -A option private_key public_key peers_of daemon ended_well

interface() {
    local name=$1 setting
    option[$name,impl]=$2
    shift 2
    option[$name,port]=$default_port option[$name,mtu]=1420
    option[$name,addresses]="" option[$name,workers]="" option[$name,extra]=""
    peers_of[$name]=""
    for setting; do option[$name,${setting%%=*}]=${setting#*=}; done

    [[ ${option[$name,impl]} == fullbore* && ! -x $fullbore ]] && fail "no $fullbore: run swift build -c release, or set FULLBORE"
    [[ ${private_key[$name]:-} ]] || private_key[$name]=$(wg genkey)
    public_key[$name]=$(wg pubkey <<<"${private_key[$name]}")
    (umask 077 && printf '%s\n' "${private_key[$name]}" >"$work/$name/wg0.key")
}

is_fullbore() { [[ ${option[$1,impl]} == fullbore ]]; }

program_of() { if [[ ${option[$1,impl]} == fullbore-uapi ]]; then printf '%s' "$fullbore"; else printf '%s' "${option[$1,impl]}"; fi; }

peer() {
    local name=$1 other=$2 setting
    shift 2
    [[ " ${peers_of[$name]} " == *" $other "* ]] || peers_of[$name]+=" $other"
    option[$name,$other,allowed]="" option[$name,$other,endpoint]="" option[$name,$other,keepalive]=""
    option[$name,$other,psk]="" option[$name,$other,extra]=""
    for setting; do option[$name,$other,${setting%%=*}]=${setting#*=}; done
}

up() {
    if is_fullbore "$1"; then up_fullbore "$1"; else up_uapi "$1"; fi
}

# ---- Fullbore: everything from one file

router_file() { # NODE's YAML
    local name=$1 other
    printf 'fullbore: 1\nname: %s\n' "$name"
    [[ ! ${option[$name,workers]} ]] || printf 'runtime: { workers: %s }\n' "${option[$name,workers]}"
    [[ ! ${option[$name,extra]} ]] || printf '%s\n' "${option[$name,extra]}"
    printf 'interfaces:\n  wg0:\n    private-key: { file: %s }\n' "$work/$name/wg0.key"
    printf '    listen-port: %s\n    mtu: %s\n' "${option[$name,port]}" "${option[$name,mtu]}"
    printf '    addresses: %s\n' "$(yaml_list "${option[$name,addresses]}")"
    [[ ! ${peers_of[$name]} ]] || printf '    peers:\n'
    for other in ${peers_of[$name]}; do
        printf '      %s:\n        public-key: "%s"\n' "$other" "${public_key[$other]}"
        printf '        allowed-ips: %s\n' "$(yaml_list "${option[$name,$other,allowed]}")"
        [[ ! ${option[$name,$other,endpoint]} ]] || printf '        endpoint: "%s"\n' "${option[$name,$other,endpoint]}"
        [[ ! ${option[$name,$other,psk]} ]] || printf '        preshared-key: { file: %s }\n' "${option[$name,$other,psk]}"
        [[ ! ${option[$name,$other,keepalive]} ]] ||
            printf '        persistent-keepalive: %s\n' "${option[$name,$other,keepalive]}"
        [[ ! ${option[$name,$other,extra]} ]] || printf '        %s\n' "${option[$name,$other,extra]}"
    done
}

yaml_list() {
    local item list=""
    for item in $1; do list+="${list:+, }\"$item\""; done
    printf '[%s]' "$list"
}

start=("$fullbore") # what is started: the program, or another one in front of it
# What is started from now on asks at 127.0.0.1 of its node for names, as it does where there is no resolv.conf.
ask_own_resolver() {
    echo "nameserver 127.0.0.1" >"$work/resolv.conf"
    # shellcheck disable=SC2016 # expands in the inner shell
    start=(sh -c '[ ! -f /etc/resolv.conf ] || mount --bind "$0" /etc/resolv.conf; exec "$@"' "$work/resolv.conf" "${start[@]}")
}

# names NODE FILE: starts a name server at 127.0.0.1 there that knows what FILE says, in the format of /etc/hosts; it reads
# the file again at SIGHUP. Its pid is in $spawned.
names() {
    spawn "$1" "$work/dnsmasq.log" dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --pid-file= --no-resolv \
        --no-hosts --addn-hosts="$2" --listen-address=127.0.0.1 --bind-interfaces --log-facility=-
    eventually 5 answers_names "$1" || fail "$1: no name server: $(cat "$work/dnsmasq.log")"
}
answers_names() { [[ $(on "$1" ss -Hlun 'sport = :53') ]]; }

start_fullbore() { # without waiting
    router_file "$1" >"$work/$1/router.yaml"
    spawn "$1" "$work/$1/log" "${start[@]}" run "$work/$1/router.yaml"
    daemon[$1]=$spawned
}

up_fullbore() {
    start_fullbore "$1"
    eventually 10 ready_or_gone "$1"
    is_ready "$1" || fail "$1: fullbore run did not become ready: $(tail -n 20 "$work/$1/log")"
}

is_ready() { grep -qw ready "$work/$1/log"; }
ready_or_gone() { is_ready "$1" || gone "${daemon[$1]}"; }

# ---- others: the program makes the device, wg and ip do the rest

wg_file() { # NODE's configuration, for wg setconf
    local name=$1 other
    printf '[Interface]\nPrivateKey = %s\nListenPort = %s\n' "${private_key[$name]}" "${option[$name,port]}"
    for other in ${peers_of[$name]}; do
        printf '\n[Peer]\nPublicKey = %s\nAllowedIPs = %s\n' "${public_key[$other]}" "${option[$name,$other,allowed]// /, }"
        [[ ! ${option[$name,$other,endpoint]} ]] || printf 'Endpoint = %s\n' "${option[$name,$other,endpoint]}"
        [[ ! ${option[$name,$other,psk]} ]] || printf 'PresharedKey = %s\n' "$(cat "${option[$name,$other,psk]}")"
        [[ ! ${option[$name,$other,keepalive]} ]] || printf 'PersistentKeepalive = %s\n' "${option[$name,$other,keepalive]}"
    done
}

up_uapi() {
    local name=$1 other prefix_
    mkdir -p "$work/$name/run/wireguard"
    spawn "$name" "$work/$name/log" env LOG_LEVEL=error WG_PROCESS_FOREGROUND=1 "$(program_of "$name")" -f wg0
    daemon[$name]=$spawned
    eventually 10 has_socket_or_gone "$name"
    has_socket "$name" || fail "$name: no UAPI socket: $(cat "$work/$name/log")"
    (umask 077 && wg_file "$name" >"$work/$name/wg0.conf")
    on "$name" wg setconf wg0 "$work/$name/wg0.conf"
    # shellcheck disable=SC2086 # lists
    address "$name" wg0 ${option[$name,addresses]}
    ip -n "$prefix-$name" link set wg0 mtu "${option[$name,mtu]}" up
    # It hears of its link by netlink, and binds then: what came before would be answered by "port unreachable".
    eventually 5 is_bound "$name" || fail "$name: its link is up, and it listens on no port: $(cat "$work/$name/log")"
    for other in ${peers_of[$name]}; do
        for prefix_ in ${option[$name,$other,allowed]}; do ip -n "$prefix-$name" route replace "$prefix_" dev wg0; done
    done
    sysctl_of "$name" net/ipv4/ip_forward 1
    [[ ! -e /proc/sys/net/ipv6 ]] || sysctl_of "$name" net/ipv6/conf/all/forwarding 1
}

is_bound() { [[ $(on "$1" ss -Hlun "sport = :${option[$1,port]}") ]]; }
has_socket() { [[ -S $work/$1/run/wireguard/wg0.sock ]]; }
has_socket_or_gone() { has_socket "$1" || gone "${daemon[$1]}"; }

down() {
    kill -TERM "${daemon[$1]}"
    ends "${daemon[$1]}" 2 || fail "$1: still there 2 s after SIGTERM"
    [[ $ended == 0 ]] || fail "$1: ended with status $ended: $(tail -n 20 "$work/$1/log")"
    ended_well[$1]=${daemon[$1]}
}

# Those that are still there: whoever has crashed meanwhile, or does not end well, is found out.
all_down() {
    local name
    for name in "${!daemon[@]}"; do [[ $name == *,* ]] || gone_well "$name" || down "$name"; done
}
gone_well() { [[ ${ended_well[$1]:-} == "${daemon[$1]}" ]]; }

# ---- what a node shows of a peer

# One line: endpoint, latest handshake, bytes received, bytes sent.
peer_status() {
    if is_fullbore "$1"; then
        on "$1" "$fullbore" show "$1" --json | jq -r --arg key "${public_key[$2]}" '
            [.. | objects | select(."public-key"? == $key)] | last |
            [.endpoint // "(none)", ."latest-handshake" // 0, .received // 0, .sent // 0] | @tsv'
    else
        on "$1" wg show wg0 dump | awk -F '\t' -v OFS='\t' -v key="${public_key[$2]}" 'NR > 1 && $1 == key {print $3, $5, $6, $7}'
    fi
}

endpoint_of() { peer_status "$1" "$2" | cut -f1; }
handshake_of() { peer_status "$1" "$2" | cut -f2; }
received_by() { peer_status "$1" "$2" | cut -f3; }
sent_by() { peer_status "$1" "$2" | cut -f4; }

expect_endpoint() { # expect_endpoint NODE OTHER ENDPOINT
    [[ $(endpoint_of "$1" "$2") == "$3" ]] || fail "$1 has $2 at $(endpoint_of "$1" "$2"), expected $3"
}

drops_of() {
    local router=$1
    is_fullbore "$1" || router=wg0 # a drop-in is called as its interface
    on "$1" "$fullbore" show "$router" --json |
        jq -r '.stages[] | .name as $stage | .drops[] | select(.value > 0) | "\($stage) \(.name) \(.value)"'
}
