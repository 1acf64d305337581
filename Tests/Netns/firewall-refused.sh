#!/usr/bin/env bash
# firewall-refused.sh: a router that may not have its rules, or cannot, says why and what helps, ends with a status other than 0
# and leaves nothing behind; one that runs refuses the file that would give it such rules, wholly, and goes on.
#
#   left ── west ───────── west ── hub            outer: 10.0.1.2, 10.0.1.1
#    wg0 192.168.241.2/24 ········ wg0 192.168.241.1/24
#
# Real: no CAP_NET_ADMIN; a table of hub's name that belongs to another process (nft -i), or that somebody else has made.
# Stand-ins, by refuse-netfilter.c: a process that may do all but speak to netfilter; kernels without nfnetlink, without nf_tables.
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

command -v nft >/dev/null || skip "needs nft"
compiler=$(command -v cc || command -v clang) || skip "needs a C compiler"
"$compiler" -shared -fPIC -o "$work/refuse.so" "$(dirname "$0")/refuse-netfilter.c"
export REFUSE=$work/refuse

node left hub
wire left west hub west
address left west 10.0.1.2/24
address hub west 10.0.1.1/24

readonly table=fullbore-hub exit_failure=1 exit_permission=77
readonly closed='pipeline: [ firewall: { rules: [ { allow: icmp, from: any, to: self } ] }, tun, allowed-ips, wireguard, udp ]'
interface hub fullbore addresses="192.168.241.1/24 fd00::1/64"
interface left fullbore addresses="192.168.241.2/24"
peer hub left endpoint="10.0.1.2:$default_port" allowed="192.168.241.2/32 10.7.0.0/16"
peer left hub endpoint="10.0.1.1:$default_port" allowed="192.168.241.1/32"

host() { # all that a router changes on its host
    local family
    ip -n "$prefix-hub" -o link | sed -E 's/ (qlen|state) [^ ]+//g'
    for family in -4 -6; do
        ip -n "$prefix-hub" "$family" -o address show | awk '{print $2, $4}'
        ip -n "$prefix-hub" "$family" route show table all
        ip -n "$prefix-hub" "$family" rule
    done
    on hub sh -c 'cd /proc/sys/net && grep -r . ipv4/ip_forward ipv4/conf/*/rp_filter ipv4/conf/*/src_valid_mark ipv6/conf/*/forwarding ipv6/conf/*/accept_ra'
    on hub ss -Hlunt | awk '{print $1, $5}' | sort
    on hub nft -a list ruleset
    (cd "$work/hub/run" && find fullbore wireguard -mindepth 1 2>/dev/null | sort) || true
}

# ---- What may stand in the way, and what is said of it

owner=""
refusals=(forbidden no-netfilter no-nf_tables owner foreign)
declare -A says=( # [owner] comes with its process
    [forbidden]='nftables: not permitted: .*CAP_NET_ADMIN'
    [no-netfilter]='no nftables here \(Protocol not supported\): load its module nf_tables'
    [no-nf_tables]='no nftables here \(Invalid argument\): load its module nf_tables'
    [foreign]="a table inet $table that this program has not made: delete it \(nft delete table inet $table\)"
)
stand_in_way() {
    case $1 in
        owner)
            mkfifo "$work/words"
            # shellcheck disable=SC2016 # expands in the inner shell
            spawn hub "$work/owner.log" sh -c 'exec nft -i <"$0"' "$work/words"
            owner=$spawned
            exec {words}>"$work/words"
            echo "add table inet $table { flags owner; }" >&"$words"
            eventually 5 table_is_there || fail "nft -i has no table: $(cat "$work/owner.log")"
            says[owner]="table inet $table belongs to another process \(flags owner, netlink port $owner, as a rule its pid\): end that process"
            ;;
        foreign) on hub nft -f - <<<"table inet $table { chain in { type filter hook input priority 0; tcp dport 9 drop; }; }" ;;
        *) echo "$1" >"$REFUSE" ;;
    esac
}
get_out_of_way() {
    case $1 in
        owner)
            kill "$owner"
            ends "$owner" 5
            exec {words}>&-
            rm "$work/words"
            ;;
        foreign) on hub nft delete table inet "$table" ;;
        *) rm -f "$REFUSE" ;;
    esac
    eventually 5 table_is_gone || fail "the table is still there"
}
table_is_there() { on hub nft list tables | grep -q " $table$"; }
table_is_gone() { ! table_is_there; }

# ---- A start

refuses() { # refuses WHAT PATTERN STATUS
    host >"$work/before"
    start_fullbore hub
    ends "${daemon[hub]}" 5 || fail "$1: it runs all the same: $(tail -n 5 "$work/hub/log")"
    [[ $ended == "$3" ]] || fail "$1: status $ended, expected $3: $(tail -n 20 "$work/hub/log")"
    grep -qE -- "$2" "$work/hub/log" || fail "$1: the log does not say '$2': $(cat "$work/hub/log")"
    [[ $(grep -c '^fullbore: ' "$work/hub/log") == 1 ]] || fail "$1: more than one error: $(cat "$work/hub/log")"
    diff "$work/before" <(host) || fail "$1: it left something behind"
    step "$1: $(grep -E -m1 -- "$2" "$work/hub/log")"
}

option[hub,extra]=$closed
start=(setpriv "--bounding-set=-net_admin" "$fullbore")
refuses "no CAP_NET_ADMIN" "creating the interface 'wg0' takes root or CAP_NET_ADMIN" "$exit_permission"
start=(env LD_PRELOAD="$work/refuse.so" "$fullbore")
for refusal in "${refusals[@]}"; do
    status=$exit_failure
    [[ $refusal != forbidden ]] || status=$exit_permission
    stand_in_way "$refusal"
    refuses "$refusal" "${says[$refusal]}" "$status"
    get_out_of_way "$refusal"
done

# ---- A router without rules needs no nftables, and leaves a table that is not its own alone

option[hub,extra]=""
for refusal in no-netfilter no-nf_tables forbidden foreign; do
    stand_in_way "$refusal"
    up hub
    warning=$(grep -c "warning.*a table of an earlier run may still be there: .*" "$work/hub/log") || true
    case $refusal in
        no-*) [[ $warning == 0 ]] || fail "$refusal: $(cat "$work/hub/log")" ;;
        *)
            [[ $warning == 1 ]] || fail "$refusal: it does not say so: $(cat "$work/hub/log")"
            grep -qE "${says[$refusal]}" "$work/hub/log" || fail "$refusal: $(cat "$work/hub/log")"
            ;;
    esac
    [[ $refusal != foreign ]] || table_is_there || fail "another's table is gone"
    down hub
    get_out_of_way "$refusal"
done
step "a router without rules starts all the same, and says what it could not look at"

# ---- A reload

up hub
up left
pings left 192.168.241.1
session=$(handshake_of hub left)
spawn left "$work/probe.log" ping -n -i 0.005 -O 192.168.241.1
probe=$spawned
state() {
    host
    on hub wg showconf wg0
    on hub "$fullbore" show hub --json | jq '[.stages[].name], [.interfaces[] | .name, [.peers[].name]]'
}
state >"$work/before"
(umask 077 && wg genkey >"$work/hub/wg1.key")
readonly file=$work/hub/router.yaml
cp "$file" "$work/first.yaml"
{ # everything else that can change with it
    sed -e 's/listen-port: .*/listen-port: 4444/' -e 's|192.168.241.1/24|192.168.241.1/24", "192.168.242.1/24|' "$work/first.yaml"
    printf '      more:\n        public-key: "%s"\n        allowed-ips: [10.8.0.0/16]\n' "$(wg genkey | wg pubkey)"
    printf '  wg1: { private-key: { file: %s }, listen-port: 4445, addresses: [10.9.0.1/24] }\n' "$work/hub/wg1.key"
    printf '%s\n' "$closed"
} >"$work/next.yaml"
for refusal in "${refusals[@]}"; do
    stand_in_way "$refusal"
    state >"$work/before"
    cp "$work/next.yaml" "$file"
    status=0
    on hub "$fullbore" reload hub >"$work/reload" 2>&1 || status=$?
    [[ $status == "$exit_failure" ]] || fail "$refusal: status $status: $(cat "$work/reload")"
    grep -qE -- "${says[$refusal]}" "$work/reload" || fail "$refusal: $(cat "$work/reload")"
    state | diff "$work/before" - || fail "$refusal: a reload that was refused has changed something"
    cp "$work/first.yaml" "$file"
    [[ $(on hub "$fullbore" reload hub) == "hub: nothing has changed" ]] || fail "$refusal: the file of before changes something"
    state | diff "$work/before" - || fail "$refusal: the file of before has changed something"
    get_out_of_way "$refusal"
done
[[ $(handshake_of hub left) == "$session" ]] || fail "the session is another"
kill -INT "$probe"
ends "$probe" 5
sent=$(sed -nE 's/^([0-9]+) packets transmitted.*/\1/p' "$work/probe.log")
[[ $(unanswered "$work/probe.log") == 0 ]] || fail "of $sent packets of the probe $(unanswered "$work/probe.log") were lost"
((sent > 100)) || fail "only $sent packets were sent"
step "${#refusals[@]} reloads refused, none of $sent packets beside them lost"

cp "$work/next.yaml" "$file"
on hub "$fullbore" reload hub >"$work/reload" || fail "nothing stands in the way: $(cat "$work/reload")"
grep -q 'rules in nftables' "$work/reload" || fail "the rules did not come: $(cat "$work/reload")"
on hub nft list table inet "$table" >"$work/listing"
grep -q 'comment "router.yaml:' "$work/listing" || fail "the rules are not there: $(cat "$work/listing")"

# ---- A change by wg that rules would have to follow

prefixes() { on hub wg set wg0 peer "${public_key[left]}" allowed-ips "$1" 2>"$work/wg"; }
has=$(on hub wg show wg0 allowed-ips | awk -v key="${public_key[left]}" '$1 == key {$1 = ""; print}' | sed 's/^ //; s/ /,/g')
for refusal in owner foreign; do
    on hub nft delete table inet "$table"
    stand_in_way "$refusal"
    on hub wg showconf wg0 >"$work/before"
    ! prefixes "$has,10.99.0.0/16" || fail "$refusal: a change that rules cannot follow is taken"
    grep -q "Operation not permitted" "$work/wg" || fail "$refusal: wg says $(cat "$work/wg")"
    on hub wg showconf wg0 | diff "$work/before" - || fail "$refusal: a change that was refused has changed something"
    grep -E "a change by wg is refused, the rules could not follow it: .*" "$work/hub/log" | tail -n1 |
        grep -qE -- "${says[$refusal]}" || fail "$refusal: the log does not say why: $(tail -n3 "$work/hub/log")"
    for seconds in 25 off; do on hub wg set wg0 peer "${public_key[left]}" persistent-keepalive "$seconds"; done
    get_out_of_way "$refusal"
    on hub "$fullbore" reload hub >"$work/reload" || fail "$refusal: $(cat "$work/reload")"
    table_is_there || fail "$refusal: the reload has not put the rules back: $(cat "$work/reload")"
    for allowed in "$has,10.99.0.0/16" "$has"; do prefixes "$allowed" || fail "$refusal: $(cat "$work/wg")"; done
done
step "wg may not change what rules cannot follow, and may change all else"

cp "$work/first.yaml" "$file"
on hub "$fullbore" reload hub >"$work/reload" || fail "the way back: $(cat "$work/reload")"
table_is_gone || fail "the file of before has no rules, but there is a table"
step "with nothing in its way the same file is taken"
all_down
