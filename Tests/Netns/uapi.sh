#!/usr/bin/env bash
# uapi.sh [IMPL…]: stock wg(8) on a running interface: show, set, setconf, addconf, syncconf, showconf, and what it says to
# nonsense (P-8.1 … P-8.17, P-7.3, P-7.5, P-9.2, N-17, N-33 … N-37). IMPL are implementations as in etc/lib/tunnel.sh; without
# any: a router with a file, with two workers, and the drop-in.
#
#   left ── wire ───────────── wire ── right        outer: 10.0.0.{1,2}
#    wg0 192.168.241.1/24 ·········· wg0 192.168.241.2/24
#
# timeout: 180
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

# N-37: the points of low order.
readonly low_order="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
    4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA= X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=
    7P///////////////////////////////////////38= 7f///////////////////////////////////////38=
    7v///////////////////////////////////////38="
readonly socket=/var/run/wireguard/wg0.sock
umask 077

node left right
wire left wire right wire
address left wire 10.0.0.1/24
address right wire 10.0.0.2/24

wg_left() { on left wg "$@"; }
shown() { wg_left show wg0 "$@"; }                                # without tabs and line breaks, sorted
expect() { [[ $2 == "$3" ]] || fail "$1: expected '$3', found '$2'"; } # expect ID FOUND EXPECTED
uapi() { on left socat -t 30 - "UNIX-CONNECT:$socket"; }           # text in, answer out
new_key() { wg genkey >"$work/$1.key" && wg pubkey <"$work/$1.key" >"$work/$1.pub"; }
taken() { [[ $(on left ss -Hlun "sport = :$1") ]]; }
public() { cat "$work/$1.pub"; }
hex() { base64 -d <<<"$1" | od -An -v -tx1 | tr -d ' \n'; }
allowed_of() { shown allowed-ips | awk -v key="$1" '$1 == key {$1 = ""; print substr($0, 2)}'; }
peers() { shown peers | wc -l; }

tunnel() {
    interface left "$1" addresses="192.168.241.1/24" workers=2
    interface right "$1" addresses="192.168.241.2/24" workers=2
    peer left right endpoint="10.0.0.2:$default_port" allowed="192.168.241.2/32"
    peer right left allowed="192.168.241.1/32"
    up left
    up right
    right_key=${public_key[right]}
}

shows() {
    local private
    private=$(shown private-key)
    expect "P-8.1 show private-key" "$private" "${private_key[left]}"
    expect "show interfaces" "$(wg_left show interfaces)" wg0
    expect "P-8.2 show listen-port" "$(shown listen-port)" "$default_port"
    expect "P-8.3 show fwmark" "$(shown fwmark)" off
    expect "P-8.8 show preshared-keys" "$(shown preshared-keys)" "$right_key"$'\t'"(none)"
    expect "P-8.11 show allowed-ips" "$(shown allowed-ips)" "$right_key"$'\t'"192.168.241.2/32"
    pings left 192.168.241.2 3
    expect "P-8.9 show endpoints" "$(shown endpoints)" "$right_key"$'\t'"10.0.0.2:$default_port"
    (($(shown latest-handshakes | cut -f2) >= $(date +%s) - 60)) || fail "P-8.13: no recent handshake shown"
    expect "P-4.24 transfer" "$(shown transfer | cut -f2)" "$(on right wg show wg0 transfer | cut -f3)"
    ! wg_left show doesnotexist 2>/dev/null || fail "N-36: an interface that is not there is shown"
    step "wg show; N-36 no interface where there is none"
}

changes_while_packets_flow() {
    local before other
    on left ping -q -i 0.02 -c 150 -W 2 192.168.241.2 >"$work/ping" &
    other=$!
    # P-6.6: the mark is on both sockets, and 0 takes it off.
    wg_left set wg0 listen-port 4444 fwmark 0x7
    expect "P-8.2" "$(shown listen-port)" 4444
    expect "P-8.3" "$(shown fwmark)" 0x7
    [[ $(on left ss -Hlun "sport = :4444") && ! $(on left ss -Hlun "sport = :$default_port") ]] || fail "P-8.2: not at the new port alone"
    wg_left set wg0 listen-port 0
    [[ $(shown listen-port) != 0 && $(shown listen-port) != 4444 ]] || fail "P-6.5: port 0 is not one of the kernel's choice"
    wg_left set wg0 listen-port "$default_port" fwmark 0
    before=$(shown latest-handshakes)
    wg_left set wg0 private-key <(printf '%s\n' "${private_key[left]}") # the key that it has: nothing happens
    wg_left set wg0 peer "$right_key" persistent-keepalive 25 preshared-key /dev/null
    expect "P-8.1, P-8.10: a session lives on" "$(shown latest-handshakes)" "$before"
    expect "P-8.10" "$(shown persistent-keepalive)" "$right_key"$'\t'25
    wg_left set wg0 peer "$right_key" persistent-keepalive 0
    expect "P-8.10" "$(shown persistent-keepalive)" "$right_key"$'\t'off
    wait "$other" || fail "no ping came back while port, mark and keepalive changed"
    # The ports were closed three times, and whatever was on its way to them then is lost.
    (($(sed -nE 's/.* ([0-9]+) received.*/\1/p' "$work/ping") >= 140)) || fail "pings lost: $(tail -n2 "$work/ping")"
    step "port, mark and keepalive change under traffic: $(sed -nE 's/.* ([0-9]+) received.*/\1/p' "$work/ping") of 150 pings answered"

    spawn left "$work/socat.log" socat -u UDP4-LISTEN:5555 /dev/null # a port that is taken, in one family
    eventually 5 taken 5555
    ! wg_left set wg0 listen-port 5555 fwmark 9 2>"$work/error" || fail "P-8.2: a port that is taken was given"
    grep -q "Address already in use" "$work/error" || fail "P-8.2: $(cat "$work/error")"
    expect "P-8.16 nothing of it was done" "$(shown listen-port) $(shown fwmark)" "$default_port off"
    kill "$spawned"
    ends "$spawned" 2
    pings left 192.168.241.2 3
    step "P-8.2, P-8.16 a port that is taken changes nothing"
}

nonsense() {
    local key
    key=$(hex "$right_key")
    expect "P-8.14" "$(printf 'set=1\nfwmark=9\nlisten_port\n\n' | uapi)" $'errno=-71'
    expect "P-8.14" "$(printf 'set=1\nfwmark=9\nlisten_port=x\n\n' | uapi)" $'errno=-22'
    expect "P-8.12" "$(printf 'set=1\nfwmark=9\npublic_key=%s\nprotocol_version=2\n\n' "$key" | uapi)" $'errno=-22'
    expect "P-8.16" "$(printf 'set=1\nfwmark=9\npublic_key=%s\nremove=true\nendpoint=x\n\n' "$key" | uapi)" $'errno=-22'
    expect "P-8.16 nothing of them was done" "$(shown fwmark) $(peers)" "off 1"
    expect "P-8: many on a connection" "$(printf 'set=1\nfwmark=5\n\nset=1\nx=y\n\nset=1\nfwmark=0\n\n' | uapi | tr -d '\n')" \
        "errno=0errno=-22errno=0"
    expect "P-8.6 a peer that is not there" "$(printf 'set=1\npublic_key=%064d\nremove=true\n\n' 1 | uapi)" errno=0
    expect "P-8.7 update_only" "$(printf 'set=1\npublic_key=%064d\nupdate_only=true\nallowed_ip=10.1.0.0/16\n\n' 1 | uapi) $(peers)" "errno=0 1"
    step "P-8.6, P-8.7, P-8.12, P-8.14, P-8.16 nonsense is refused, whole"
}

prefixes() { # P-7.3, P-7.5, P-9.2
    new_key other
    wg_left set wg0 peer "$(public other)" allowed-ips 192.168.241.0/24,10.7.0.0/16
    pings left 192.168.241.2 2 # the /32 is still right's
    wg_left set wg0 peer "$(public other)" allowed-ips 192.168.241.2/32
    expect "P-7.3 moved" "$(allowed_of "$right_key")" "(none)"
    expect "P-8.11 replaced" "$(allowed_of "$(public other)")" "192.168.241.2/32"
    pings_not left 192.168.241.2
    expect "P-7.5" "$(printf 'set=1\npublic_key=%s\nallowed_ip=-192.168.241.2/32\n\n' "$(hex "$right_key")" | uapi)" errno=0
    expect "P-7.5 another peer's stays" "$(allowed_of "$(public other)")" "192.168.241.2/32"
    wg_left set wg0 peer "$(public other)" remove
    expect "P-9.2" "$(peers)" 1
    wg_left set wg0 peer "$right_key" allowed-ips 192.168.241.2/32
    pings left 192.168.241.2 3
    step "P-7.3, P-7.5, P-9.2 prefixes move between peers and go with them"
}

files() { # P-8.17
    local before sent
    wg_left showconf wg0 >"$work/shown.conf"
    grep -q "^PrivateKey = ${private_key[left]}$" "$work/shown.conf" || fail "showconf: no private key"
    new_key third
    cp "$work/shown.conf" "$work/more.conf"
    printf '\n[Peer]\nPublicKey = %s\nAllowedIPs = 10.3.0.0/16\nPresharedKey = %s\n' "$(public third)" "$(wg genpsk)" >>"$work/more.conf"
    before=$(shown latest-handshakes)
    on left wg syncconf wg0 "$work/more.conf"
    expect "P-8.17 syncconf adds" "$(peers)" 2
    expect "P-8.17 syncconf leaves sessions alone" "$(shown latest-handshakes | grep -F "$right_key")" "$before"
    pings left 192.168.241.2 3
    on left wg syncconf wg0 "$work/shown.conf"
    expect "P-8.17 syncconf removes" "$(peers)" 1
    expect "P-8.17 syncconf leaves sessions alone" "$(shown latest-handshakes)" "$before"

    sed -n '/^\[Peer\]/,$p' "$work/more.conf" | tail -n 5 >"$work/add.conf"
    on left wg addconf wg0 "$work/add.conf"
    expect "P-8.17 addconf" "$(peers)" 2
    sent=$(shown transfer | awk -v key="$right_key" '$1 == key {print $3}')
    ((sent > 0)) || fail "P-8.17: addconf has touched another peer"
    on left wg setconf wg0 "$work/shown.conf"
    expect "P-8.17 setconf replaces" "$(peers)" 1
    pings left 192.168.241.2 3
    expect "showconf again" "$(wg_left showconf wg0)" "$(cat "$work/shown.conf")"
    step "P-8.17 showconf, syncconf, addconf, setconf"
}

keys() { # N-17, N-37
    local before
    new_key next
    # N-17: both ends learn of it, and the next packet goes through.
    on right wg set wg0 peer "$(public next)" allowed-ips 192.168.241.1/32 peer "${public_key[left]}" remove
    wg_left set wg0 private-key "$work/next.key"
    pings left 192.168.241.2 3
    step "N-17 a new private key, and a handshake at once"

    before=$(peers)
    wg_left set wg0 peer "$(public next)" allowed-ips 10.5.0.0/16
    expect "P-8.5 our own key" "$(peers)" "$before"
    new_key self
    wg_left set wg0 peer "$(public self)" allowed-ips 10.5.0.0/16
    expect "N-37 another's key" "$(peers)" "$((before + 1))"
    wg_left set wg0 private-key "$work/self.key"
    expect "P-8.1 a peer whose key becomes ours goes" "$(peers)" "$before"
    wg_left set wg0 peer "$(public next)" allowed-ips 10.5.0.0/16
    expect "N-37 the key that was ours" "$(peers)" "$((before + 1))"
    wg_left set wg0 peer "$(public next)" remove

    wg_left set wg0 private-key /dev/null
    expect "N-37 no private key" "$(shown private-key)" "(none)"
    pings_not left 192.168.241.2
    printf '//////////////////////////////////////////8=\n' >"$work/all.key"
    wg_left set wg0 private-key "$work/all.key"
    expect "P-8.1 clamped" "$(shown private-key)" "+P///////////////////////////////////////38="

    wg_left set wg0 peer "$right_key" preshared-key <(wg genpsk)
    [[ $(shown preshared-keys | cut -f2) != "(none)" ]] || fail "P-8.8: no preshared key shown"
    wg_left set wg0 peer "$right_key" preshared-key /dev/null
    expect "P-8.8" "$(shown preshared-keys | cut -f2)" "(none)"

    wg_left set wg0 peer "$right_key" allowed-ips 0.0.0.0/0,10.0.0.0/8,100.0.0.0/10,172.16.0.0/12,192.168.0.0/16
    wg_left set wg0 peer "$right_key" allowed-ips 0.0.0.0/0
    expect "N-37 overlapping prefixes" "$(allowed_of "$right_key")" 0.0.0.0/0
    wg_left set wg0 peer "$right_key" allowed-ips ::/0,1700::/111,5000::/4,e000::/37,9000::/75
    wg_left set wg0 peer "$right_key" allowed-ips ::/0
    expect "N-37 overlapping prefixes" "$(allowed_of "$right_key")" ::/0
    step "N-37 keys set and unset, our own, clamped; prefixes replaced"

    wg_left set wg0 private-key <(printf '%s\n' "${private_key[left]}")
    wg_left set wg0 peer "$right_key" remove
    local point before after
    before=$(transmitted)
    for point in $low_order; do wg_left set wg0 peer "$point" persistent-keepalive 1 endpoint "10.0.0.2:$default_port"; done
    expect "N-37 points of low order" "$(peers)" 7
    sleep 2
    after=$(transmitted)
    expect "N-37, P-2.4 no byte is sent to points of low order" "$(shown transfer | awk '{sum += $3} END {print sum}') $((after - before))" "0 0"
    for point in $low_order; do wg_left set wg0 peer "$point" remove; done
    step "N-37 seven points of low order, and not a byte in 2 s"
}

transmitted() { # UDP datagrams of the node
    on left cat /proc/net/snmp | awk '/^Udp: [0-9]/ {print $5}'
}

many() {
    local file=$work/many.conf number key
    { # N-33
        printf '[Peer]\nPublicKey = %s\n' "$right_key"
        awk 'BEGIN {for (i = 1; i <= 255; i++) for (j = 0; j < 256; j++) printf "AllowedIPs = %d.%d.0.0/16, %x%02x:%x::/96\n", i, j, i, j, i}' |
            awk '!seen[$0]++'
    } >"$file"
    on left wg addconf wg0 "$file"
    expect "N-33" "$(shown allowed-ips | wc -w)" "$((255 * 256 * 2 + 1))"
    step "N-33 $((255 * 256 * 2)) prefixes of one peer"
    printf '[Interface]\n' >"$work/empty.conf"
    on left wg setconf wg0 "$work/empty.conf"
    expect "P-8.17 an empty file" "$(peers) $(shown private-key)" "0 (none)"

    { # N-34
        for ((number = 0; number < 40; number++)); do
            printf '[Peer]\nPublicKey = %s\n' "$(wg genkey | wg pubkey)"
            awk -v n="$number" 'BEGIN {for (i = 0; i < 26; i++) printf "AllowedIPs = 10.%d.%d.0/24, fd00:%x:%x::/64\n", n, i, n, i}'
        done
    } >"$file"
    on left wg setconf wg0 "$file"
    expect "N-34" "$(peers) $(shown allowed-ips | wc -w)" "40 $((40 * 53))"
    {
        for ((number = 0; number < 29; number++)); do printf '[Peer]\nPublicKey = %s\n' "$(wg genkey | wg pubkey)"; done
        printf '[Peer]\nPublicKey = %s\n' "$right_key"
        awk 'BEGIN {for (i = 0; i < 197; i++) printf "AllowedIPs = fd00:%x::/32\n", i}'
    } >"$file"
    on left wg setconf wg0 "$file"
    expect "N-34" "$(peers) $(allowed_of "$right_key" | wc -w)" "30 197"
    step "N-34 forty peers of 52 prefixes, thirty peers of which one has any"

    key=$(hex "$right_key") # N-35
    {
        printf 'set=1\nreplace_peers=true\npublic_key=%s\n' "$key"
        awk 'BEGIN {for (i = 0; i < 197; i++) printf "allowed_ip=10.0.%d.0/24\nallowed_ip=fd00:%x::/32\n", i, i}'
        printf '\nset=1\npublic_key=%s\nupdate_only=true\nallowed_ip=-10.0.0.0/24\nallowed_ip=-10.0.100.0/24\nallowed_ip=-10.0.196.0/24\n' "$key"
        printf 'allowed_ip=-fd00:0::/32\nallowed_ip=-fd00:64::/32\nallowed_ip=-fd00:c4::/32\n\n'
    } | uapi >"$work/answer"
    expect "N-35" "$(tr -d '\n' <"$work/answer") $(allowed_of "$right_key" | wc -w)" "errno=0errno=0 388"
    ! allowed_of "$right_key" | grep -qE '(^| )(10\.0\.(0|100|196)\.0/24|fd00::/32|fd00:(64|c4)::/32)( |$)' || fail "N-35: a prefix is still there"
    step "N-35 prefixes taken one by one"

    # A set that large goes through the workers in pieces; what is taken back and forth leaves nothing.
    awk 'BEGIN {print "set=1\nreplace_peers=true"
        for (i = 0; i < 24000; i++) printf "public_key=%064x\nallowed_ip=10.%d.%d.0/24\n", i + 2, i / 250, i % 250
        print ""}' | uapi >"$work/answer"
    expect "P-8.15 24,000 peers" "$(tr -d '\n' <"$work/answer") $(peers)" "errno=0 24000"
    on left wg setconf wg0 "$work/shown.conf"
    step "24,000 peers come and go"
    pings left 192.168.241.2 3
}

# A router of two interfaces: a socket each, and the same peer is two.
two_interfaces() {
    local process
    new_key one
    cat >"$work/left/two.yaml" <<YAML
fullbore: 1
name: two
interfaces:
  wg0: { private-key: { file: $work/left/wg0.key }, listen-port: 1001 }
  wg1: { private-key: { file: $work/one.key }, listen-port: 1002 }
YAML
    spawn left "$work/left/two.log" "$fullbore" run "$work/left/two.yaml"
    process=$spawned
    eventually 10 grep -qw ready "$work/left/two.log" || fail "two interfaces: $(cat "$work/left/two.log")"
    expect "two interfaces" "$(wg_left show interfaces | tr ' ' '\n' | sort | xargs)" "wg0 wg1"
    wg_left set wg0 peer "$right_key" allowed-ips 10.1.0.0/16
    wg_left set wg1 listen-port 1003 peer "$right_key" allowed-ips 10.1.0.0/16
    expect "two interfaces" "$(wg_left show all allowed-ips | cut -f1,3 | sort | xargs)" "wg0 10.1.0.0/16 wg1 10.1.0.0/16"
    wg_left set wg0 peer "$right_key" remove
    expect "two interfaces" "$(wg_left show all allowed-ips | cut -f1,3 | xargs) $(wg_left show all listen-port | cut -f2 | sort | xargs)" \
        "wg1 10.1.0.0/16 1001 1003"
    kill "$process"
    ends "$process" 2
    [[ $ended == 0 && ! $(ls "$work/left/run/wireguard") ]] || fail "two interfaces: status $ended, $(ls "$work/left/run/wireguard")"
    # Another process has the socket: the router goes on without, and leaves it alone when it ends.
    spawn left "$work/left/other.log" socat UNIX-LISTEN:"$socket",fork,mode=700 /dev/null
    eventually 5 test -S "$work/left/run/wireguard/wg0.sock"
    spawn left "$work/left/two.log" "$fullbore" run "$work/left/two.yaml"
    process=$spawned
    eventually 10 grep -qw ready "$work/left/two.log" || fail "a socket that is taken: $(cat "$work/left/two.log")"
    grep -q "wg0: not to be seen by wg: another process" "$work/left/two.log" || fail "a socket that is taken, and no word of it"
    kill "$process"
    ends "$process" 2
    [[ -S $work/left/run/wireguard/wg0.sock ]] || fail "the router has taken another's socket away"
    step "two interfaces, two sockets; one that is taken is left alone"
}

implementations=("$@")
((${#implementations[@]})) || implementations=(fullbore fullbore-uapi)
for implementation in "${implementations[@]}"; do
    say "$implementation"
    tunnel "$implementation"
    shows
    changes_while_packets_flow
    nonsense
    prefixes
    files
    keys
    [[ $implementation != fullbore* ]] || on right wg set wg0 peer "${public_key[left]}" allowed-ips 192.168.241.1/32
    many
    down left
    down right
    [[ ! -e $work/left/run/wireguard/wg0.sock ]] || fail "the socket is still there"
done
(($#)) || two_interfaces
