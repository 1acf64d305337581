# shellcheck shell=bash
# rates.sh: whether TCP has the rate that it is to have. Sourced, not run.
#
#   measure FROM TO ADDRESS SECONDS OPTION…   one iperf3 run; what arrived, in bits a second with headers
#   with_headers RATE ADDRESS                 iperf's rate, with the headers that a limit counts
#   expect_rate MBIT RATE WHAT                fails unless RATE is within $tolerance percent of it
#   mbits RATE                                for people: 4.98 Mbit/s

# shellcheck source=tunnel.sh
. "$(dirname "${BASH_SOURCE[0]}")/tunnel.sh"

readonly warmup=2    # seconds until TCP has found the rate
readonly tolerance=3 # percent

# IP, TCP and its time stamps; of segments that fill the tunnel's 1420 bytes.
with_headers() {
    local header=52
    [[ $2 != *:* ]] || header=72
    awk -v rate="$1" -v header=$header 'BEGIN {printf "%.0f", rate * 1420 / (1420 - header)}'
}

measure() {
    local from=$1 to=$2 address=$3 length=$4
    shift 4
    iperf "$from" "$to" "$address" -C cubic -t "$length" -O "$warmup" "$@"
    with_headers "$(iperf_value '.end.sum_received.bits_per_second | floor')" "$address"
}

mbits() { awk -v rate="$1" 'BEGIN {printf "%.2f Mbit/s", rate / 1e6}'; }
percent_off() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%+.2f", (a / b - 1) * 100}'; }

expect_rate() {
    local wanted=$(($1 * 1000000)) off
    off=$(percent_off "$2" "$wanted")
    awk -v off="$off" -v t=$tolerance 'BEGIN {exit !(off <= t && off >= -t)}' ||
        fail "$3: $2 bit/s of $wanted, $off %: not within $tolerance %"
    step "$3: $(mbits "$2"), $off %"
}
