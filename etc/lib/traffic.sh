# shellcheck shell=bash
# traffic.sh: traffic between nodes, and whether it arrived. Sourced, not run.
#
#   pings NODE ADDRESS [COUNT]           COUNT pings (10), every one answered
#   copy FROM TO ADDRESS FILE            copies FILE over TCP to ADDRESS, which is TO's, and compares sha256
#   iperf FROM TO ADDRESS [OPTION…]      one iperf3 run; its JSON is in $iperf_json
#   iperf_value JQ                       a value of it, such as .end.sum_received.bits_per_second
#   some_udp_arrived                     fails when iperf's UDP was lost, all of it
#   random_file FILE BYTES

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
