# shellcheck shell=bash disable=SC2034,SC2154 # repo and work are those of script.sh, taken is for who sources this
# report.sh: how benchmarks report: a table for people, JSON that says what machine it was, and plots of it. Sourced, not run.
#
#   report_option [OPTION]…   takes --json [FILE] or --plot FILE off the front; how many words that were is in $taken, 0 for none.
#                             With --json and no file stdout is JSON and nothing else: what comes from then on goes to stderr
#   machine                   the machine and what it runs, as JSON: CPU, its flags that matter here, cores, kernel, load
#   publish FILE              FILE is a report in JSON: to wherever the options want it, and drawn
#
# A report is {version, benchmark, date, machine, versions, parameters, …}. What is to be drawn stands in .charts, a list
# of these (plot.py):
#
#   {title, unit, better: "less" or "more", kind: "bars", groups: [NAME…], series: [{name, values: [[MEDIAN, LEAST, MOST] or null…]}],
#    bars: [{group, value, name}…]}
#   {title, unit, better, kind: "lines", x: {unit, log}, y: {log}, series: [{name, points: [[X, Y]…]}]}

report_json="" report_plot="" taken=0
readonly cpu_flags_that_matter="ssse3 avx avx2 avx512f avx512vl avx512ifma vaes asimd sve"

report_option() {
    taken=0
    case ${1:-} in
        --json)
            taken=1 report_json=-
            [[ ! ${2:-} || $2 == --* ]] || { taken=2 report_json=$2; }
            [[ $report_json != - ]] || exec 3>&1 1>&2
            ;;
        --plot)
            [[ ${2:-} ]] || { echo "$0: --plot FILE" >&2; exit 64; }
            taken=2 report_plot=$2
            ;;
    esac
}

machine() {
    local flag flags=() has
    has=" $(sed -nE '/^(flags|Features)[[:space:]]*:/{s/.*: //p;q}' /proc/cpuinfo) "
    for flag in $cpu_flags_that_matter; do [[ $has != *" $flag "* ]] || flags+=("$flag"); done
    jq -n --arg cpu "$(lscpu | sed -nE 's/^Model name:[[:space:]]*//p' | head -n1)" --arg flags "${flags[*]}" \
        --argjson cores "$(nproc)" --arg kernel "$(uname -srm)" --argjson load "$(cut -d' ' -f1 /proc/loadavg)" \
        --arg hypervisor "$(systemd-detect-virt --vm 2>/dev/null || true)" '
        {cpu: $cpu, flags: ($flags | split(" ")), cores: $cores, kernel: $kernel, "load-before": $load, virtualisation: $hypervisor}'
}

publish() {
    case $report_json in
        "") ;;
        -) cat "$1" >&3 ;;
        *) cp "$1" "$report_json" ;;
    esac
    [[ ! $report_plot ]] || python3 "$repo/etc/bench.d/plot.py" "$1" "$report_plot" || fail "no plot"
}
