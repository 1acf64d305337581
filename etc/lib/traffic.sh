# shellcheck shell=bash
# traffic.sh: traffic between nodes, and whether it arrived. Sourced, not run.
#
#   pings NODE ADDRESS [COUNT]           COUNT pings (10), every one answered
#   copy FROM TO ADDRESS FILE            copies FILE over TCP to ADDRESS, which is TO's, and compares sha256
#   iperf FROM TO ADDRESS [OPTION…]      one iperf3 run; its JSON is in $iperf_json
#   iperf_value JQ                       a value of it, such as .end.sum_received.bits_per_second
#   unanswered LOG                       how many of the requests in what `ping -n` has written have got no answer; those under way
#                                        when it was interrupted are none of them, unless there are more than 50
#   some_udp_arrived                     fails when iperf's UDP was lost, all of it
#   random_file FILE BYTES
#   echoes NODE PORT                     whatever NODE gets over TCP at PORT goes back
#   ask KIND NODE ADDRESS [PORT]         what becomes of a first packet, tcp, udp or icmp: pass, rejected or dropped; echoed at
#                                        PORT (7), where a server has to be
#   outcome OUTCOME NODE ADDRESS…        fails unless that becomes of all three protocols to each of them, asked at once
#   begin_flow NODE ADDRESS PORT [BYTES] a TCP flow from NODE to where it is echoed, which sends until end_flows: so much
#                                        every 20 ms, 200,000 where nothing is said
#   flows_go_on                          within 5 s each flow gets something more back
#   end_flows                            ends them: each byte has come back, as it was sent

# shellcheck source=namespaces.sh
. "$(dirname "${BASH_SOURCE[0]}")/namespaces.sh"

readonly iperf_port=5201
readonly copy_port=5300
iperf_json=""

# All at once, at an interval that would be 2 s: once a ping was answered, the last answer is waited for only as long as the
# interval (or twice the longest round trip), which a busy machine makes too short for spaced ones.
pings() {
    local count=${3:-10} answered
    answered=$(on "$1" ping -q -n -c "$count" -l "$count" -i 2 -W 5 "$2" | sed -nE 's/.* ([0-9]+) received.*/\1/p') || true
    [[ $answered == "$count" ]] || fail "$1: ping $2: ${answered:-0} of $count answered"
}

unanswered() {
    awk -F 'icmp_seq=' '/ bytes from / {seq = $2 + 0; if (!(seq in seen)) answered++; seen[seq]; if (seq > last) last = seq}
        / packets transmitted/ {sent = $0 + 0}
        END {print (sent - last > 50 ? sent : last) - answered}' "$1"
}

pings_not() { ! on "$1" ping -q -n -c 3 -i 0.1 -W 1 "$2" >/dev/null || fail "$1: $2 answers, and must not"; }

random_file() { head -c "$2" /dev/urandom >"$1"; }

bracketed() { if [[ $1 == *:* ]]; then printf '[%s]' "$1"; else printf '%s' "$1"; fi; }

copy() {
    local from=$1 to=$2 destination file=$4 received=$work/received family=4 receiver
    destination=$(bracketed "$3")
    [[ $3 != *:* ]] || family=6
    spawn "$to" "$work/receiver.log" timeout 120 socat -b 65536 -u "TCP$family-LISTEN:$copy_port,reuseaddr" "OPEN:$received,creat,trunc"
    receiver=$spawned
    on "$from" timeout 120 socat -b 65536 -u "OPEN:$file" "TCP$family:$destination:$copy_port,retry=100,interval=0.05" \
        2>"$work/sender.log" &
    wait $! || fail "$from → $to ($3): the copy was cut off: $(cat "$work/sender.log")"
    wait "$receiver" || fail "$from → $to ($3): the copy did not end: $(cat "$work/receiver.log")"
    sha256sum <"$file" >"$work/sent.sha256"
    sha256sum <"$received" >"$work/received.sha256"
    cmp -s "$work/sent.sha256" "$work/received.sha256" || fail "$from → $to ($3): sha256 differs"
    rm -f "$received"
}

# At full speed a datagram may be lost in a queue; that none arrived would be something else.
some_udp_arrived() {
    iperf_value '.end.sum | select(.packets > .lost_packets) | .packets' >/dev/null || fail "UDP: all of it was lost"
}

echoes() {
    spawn "$1" "$work/echo-$1.log" socat "TCP6-LISTEN:$2,ipv6only=0,reuseaddr,fork" EXEC:cat
    eventually 5 listening "$1" "$2" || fail "$1 does not listen: $(cat "$work/echo-$1.log")"
}

ask() {
    local kind=$1 from=$2 address port=${4:-7} said
    address=$(bracketed "$3")
    case $kind in
        icmp) said=$(on "$from" ping -n -c 1 -W 2 "$3" 2>&1) && { echo pass; return; } ;;
        tcp) said=$(on "$from" timeout 5 socat -t 2 - "TCP:$address:$port,connect-timeout=2" <<<hello 2>&1) || true ;;
        udp) said=$(on "$from" timeout 5 socat -T 1 -t 1 - "UDP:$address:$port" <<<hello 2>&1) || true ;;
    esac
    if [[ $said == hello ]]; then
        echo pass
    elif grep -qiE 'refused|prohibited|denied|filtered|unreachable|no route' <<<"$said"; then
        echo rejected
    else
        echo dropped
    fi
}

outcome() {
    local expected=$1 from=$2 kind address asking=()
    shift 2
    for kind in tcp udp icmp; do
        for address; do
            ask "$kind" "$from" "$address" >"$work/outcome-$kind-$address" &
            asking+=($!)
        done
    done
    wait "${asking[@]}"
    for kind in tcp udp icmp; do
        for address; do
            [[ $(cat "$work/outcome-$kind-$address") == "$expected" ]] ||
                fail "$kind from $from to $address: $(cat "$work/outcome-$kind-$address"), expected $expected"
        done
    done
}

flows=() # numbers are their names; each a pid
begin_flow() {
    local number=${#flows[@]}
    # shellcheck disable=SC2016 # expands in the inner shell
    spawn "$1" "$work/flow-$number.log" sh -c 'while [ ! -e "$0-end" ]; do head -c "$3" /dev/urandom; sleep 0.02; done |
        tee "$0-$1.sent" | socat -t 10 - "TCP:$2" >"$0-$1.back"' "$work/flow" "$number" "$(bracketed "$2"):$3" "${4:-200000}"
    flows+=("$spawned")
    eventually 5 has_come_back "$number" 0 || fail "$1 → $2: no flow: $(cat "$work/flow-$number.log")"
}
flow_size() { stat -c %s "$work/flow-$1.back" 2>/dev/null || echo 0; } # its shell may still have to make the file
has_come_back() { (($(flow_size "$1") > $2)); } # has_come_back NUMBER BYTES: more than that

flows_go_on() {
    local number sizes=()
    for number in "${!flows[@]}"; do sizes+=("$(flow_size "$number")"); done
    for number in "${!flows[@]}"; do
        eventually 5 has_come_back "$number" "${sizes[number]}" || fail "flow $number stands still: $(cat "$work/flow-$number.log")"
    done
}

end_flows() {
    local number
    touch "$work/flow-end"
    for number in "${!flows[@]}"; do
        ends "${flows[number]}" 20 || fail "flow $number does not end"
        [[ $ended == 0 ]] || fail "flow $number: status $ended: $(cat "$work/flow-$number.log")"
        cmp "$work/flow-$number.sent" "$work/flow-$number.back" || fail "flow $number: what has come back is not what was sent"
    done
    step "${#flows[@]} flows: $(cat "$work"/flow-*.back | wc -c) bytes there and back, each as it was sent"
    flows=()
    rm "$work"/flow-*
}

listening() { [[ $(on "$1" ss -Hltn "sport = :$2") ]]; }

iperf() {
    local from=$1 to=$2 destination=$3 port=${IPERF_PORT:-$iperf_port} server
    shift 3
    iperf_json=$work/iperf-$from-$to-$port.json
    spawn "$to" "$work/iperf-server-$to-$port.log" iperf3 -s -1 -p "$port"
    server=$spawned
    eventually 5 listening "$to" "$port" || fail "$to: iperf3 does not listen on $port"
    on "$from" iperf3 -J -c "$destination" -p "$port" "$@" >"$iperf_json" &
    wait $! || fail "$from → $to ($destination): iperf3 $*: $(sed -nE 's/.*"error":[[:space:]]*//p' "$iperf_json")"
    wait "$server" || fail "$to: iperf3 -s: $(cat "$work/iperf-server-$to-$port.log")"
}

iperf_value() { jq -er "$1" "$iperf_json"; }
