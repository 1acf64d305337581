# shellcheck shell=bash disable=SC2154 # what script.sh sets
# etc/bench tunnel [--rounds N] [--seconds S] [--scenario PATTERN]… [--peer NAME=PROGRAM]… [--only NAME]… [--offered 'N…']
#                  [--json [FILE]] [--plot FILE]
#
# What a tunnel between two routers of the same kind carries, and the CPU time both daemons take for it:
#
#   left-host ── lan ── left ── wire ───────────── wire ── right ── lan ── right-host   namespaces, a set for each implementation
#      10.9.1.2          wg0 10.9.0.1  ········  wg0 10.9.0.2         10.9.2.2         MTU 1420 in 1500; IPv6 beside it
#
# Fullbore and Debian's wireguard-go are measured in turn, scenario by scenario and round by round (3, of 3 seconds), so that
# what else the machine does hits both. --peer adds an implementation with wireguard-go's usage (PROGRAM -f wg0, and UAPI),
# --only leaves the others out, --scenario those that it does not match (`--scenario 'udp-*'`):
#
#   tcp-1 tcp-8                           iperf3, cubic, so many streams from router to router
#   tcp-1-4in6 tcp-1-6in4 tcp-1-6in6      one stream in other families, inside and outside the tunnel
#   udp-64 udp-512 udp-1400               IP packets of so many bytes, sent one by one (no GSO), more and more a second until no
#                                         more arrive (--offered has the rates); the generator has real-time priority
#   ping ping-loaded                      500 a second, alone and beside one TCP stream
#   host-tcp-1 host-udp-64 host-udp-1400 host-ping-loaded      the same from host to host: both routers forward
#   ping-shaped                           ping-loaded, where Fullbore's rate-limit shapes to half of what tcp-1 had
#
# Printed are medians, and the project's bars with "ok" or "short"; only a measurement that broke makes it fail. The time is
# utime + stime of the daemons, in units of 10 ms: judge by CPU per bit and packet, which stays put on a busy machine, and by
# rates only on a quiet one. --json prints JSON instead of the table, or writes it to FILE beside the table; --plot draws SVG.

# shellcheck source=report.sh
. "$(dirname "${BASH_SOURCE[0]}")/report.sh"
# shellcheck source=tunnel/pairs.sh
. "$(dirname "${BASH_SOURCE[0]}")/tunnel/pairs.sh"
# shellcheck source=tunnel/measures.sh
. "$(dirname "${BASH_SOURCE[0]}")/tunnel/measures.sh"

readonly scenarios=(tcp-1 tcp-8 tcp-1-4in6 tcp-1-6in4 tcp-1-6in6 udp-64 udp-512 udp-1400 ping ping-loaded
    host-tcp-1 host-udp-64 host-udp-1400 host-ping-loaded ping-shaped)
rounds=3
seconds=3
offered="20000 40000 60000 90000 130000 190000 280000 400000 600000 900000"
names=(fullbore wireguard-go)
declare -A program=([fullbore]=fullbore [wireguard-go]=wireguard-go) outer=()
patterns=()

bench_tunnel() {
    local round scenario name
    tunnel_options "$@"
    tunnel_prerequisites
    machine >"$work/machine.json"
    for name in "${names[@]}"; do start_pair "$name" "${program[$name]}"; done
    for ((round = 1; round <= rounds; round++)); do
        for scenario in "${scenarios[@]}"; do
            if [[ $scenario == ping-shaped ]] || ! wanted "$scenario"; then continue; fi
            for name in "${names[@]}"; do run_scenario "$scenario" "$name" "$round"; done
        done
    done
    if wanted ping-shaped && with fullbore; then run_shaped; fi
    report >"$work/report.json"
    jq -rf "$repo/etc/bench.d/tunnel/table.jq" "$work/report.json"
    publish "$work/report.json"
}

with() { [[ " ${names[*]} " == *" $1 "* ]]; }

wanted() { # wanted SCENARIO
    local pattern
    ((${#patterns[@]})) || return 0
    # shellcheck disable=SC2053 # a pattern
    for pattern in "${patterns[@]}"; do [[ $1 != $pattern ]] || return 0; done
    return 1
}

tunnel_options() {
    local only=() name scenario
    while (($#)); do
        report_option "$@"
        if ((taken)); then shift "$taken"; continue; fi
        case $1 in
            --rounds) rounds=${2:?--rounds N} ;;
            --seconds) seconds=${2:?--seconds S} ;;
            --offered) offered=${2:?--offered N} ;;
            --scenario) patterns+=("${2:?--scenario PATTERN}") ;;
            --only) only+=("${2:?--only NAME}") ;;
            --peer)
                [[ ${2:-} == ?*=?* ]] || { echo "$0: --peer NAME=PROGRAM" >&2; exit 64; }
                names+=("${2%%=*}")
                program[${2%%=*}]=${2#*=}
                ;;
            *) usage >&2; exit 64 ;;
        esac
        shift 2
    done
    [[ $rounds =~ ^[1-9][0-9]*$ && $seconds =~ ^[1-9][0-9]*$ && $offered =~ ^[1-9][0-9]*(\ [1-9][0-9]*)*$ ]] ||
        { echo "$0: --rounds, --seconds and --offered are numbers from 1" >&2; exit 64; }
    ((${#only[@]} == 0)) || names=("${only[@]}")
    for name in "${names[@]}"; do
        [[ ${program[$name]:-} ]] || { echo "$0: what is $name? (--peer $name=PROGRAM)" >&2; exit 64; }
    done
    for scenario in "${scenarios[@]}"; do
        ! wanted "$scenario" || { [[ $scenario == ping-shaped ]] && ! with fullbore; } || return 0
    done
    echo "$0: there is nothing to measure: no scenario is like that" >&2
    exit 64
}

tunnel_prerequisites() {
    local sets=(test)
    [[ ! $report_plot ]] || sets+=(script)
    if with fullbore && [[ ! ${FULLBORE:-} ]]; then
        prerequisites build "${sets[@]}"
        interruptible swift build --package-path "$repo" -c release --product fullbore || fail "the build failed"
    else
        prerequisites "${sets[@]}"
    fi
    datagrams_program
}

run_scenario() { # run_scenario SCENARIO NAME ROUND
    local from=$2-left to=$2-right target families=4in4 kind=${1#host-}
    [[ $kind != *in[46] ]] || families=${kind##*-}
    over "$2" "${families#*in}"
    target=${router_address[${families%in*}]}
    [[ $1 != host-* ]] || from+=-host to+=-host target=${host_address[${families%in*}]}
    case $kind in
        tcp-8) measure_tcp "$1" "$2" "$3" "$from" "$to" "$target" 8 ;;
        tcp-1*) measure_tcp "$1" "$2" "$3" "$from" "$to" "$target" 1 ;;
        udp-*) measure_udp "$1" "$2" "$3" "$from" "$to" "$target" "${kind#udp-}" ;;
        ping) measure_ping "$1" "$2" "$3" "$from" "$to" "$target" ;;
        ping-loaded | ping-shaped) measure_ping "$1" "$2" "$3" "$from" "$to" "$target" beside ;;
    esac
}

over() { # over NAME 4|6: only when it is another family than before
    [[ ${outer[$1]:-4} != "$2" ]] || return 0
    outer_family "$1" "$2"
    outer[$1]=$2
}

shaped_to=null # Mbit/s
run_shaped() {
    local round
    wanted tcp-1 || for ((round = 1; round <= rounds; round++)); do run_scenario tcp-1 fullbore "$round"; done
    shaped_to=$(jq -s '[.[] | select(.scenario == "tcp-1" and .implementation == "fullbore") | ."gbit-per-second"] | sort
        | .[length / 2 | floor] * 1000 / 2 | floor' "$results")
    start_pair fullbore-shaped fullbore \
        extra="pipeline: [tun, allowed-ips, { rate-limit: { default: { down: ${shaped_to}mbit } } }, wireguard, udp]"
    for ((round = 1; round <= rounds; round++)); do run_scenario ping-shaped fullbore-shaped "$round"; done
}

version_of() { # version_of NAME
    local path=${program[$1]}
    [[ $1 != fullbore ]] || path=$fullbore
    "$path" --version 2>/dev/null | head -n1 || echo unknown
}

aead_of_fullbore() { # as it says itself
    ! with fullbore || on fullbore-left "$fullbore" show fullbore-left --json | jq -r '.aead // "libsodium"'
}

report() {
    local name versions
    versions=$(jq -n --arg iperf "$(iperf3 --version | head -n1)" '{iperf3: $iperf}')
    for name in "${names[@]}"; do
        versions=$(jq --arg name "$name" --arg version "$(version_of "$name")" '.[$name] = $version' <<<"$versions")
    done
    jq -s --slurpfile machine "$work/machine.json" --argjson versions "$versions" --arg date "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" \
        --arg aead "$(aead_of_fullbore)" --argjson rounds "$rounds" --argjson seconds "$seconds" --argjson offered "[${offered// /,}]" \
        --argjson shaped "$shaped_to" --argjson mtu "$tunnel_mtu" --arg priority "${in_real_time[*]}" \
        --arg names "${names[*]}" --arg scenarios "${scenarios[*]}" -f "$repo/etc/bench.d/tunnel/report.jq" "$results"
}
