#!/usr/bin/env bash
# demo-leaves-nothing.sh: etc/demo does what it says with status 0, and leaves nothing behind, also when it is interrupted (SIGINT, SIGTERM)
# at any of its steps. Its topology is drawn in etc/demo.
#
# timeout: 300
set -euo pipefail
# shellcheck source=../../etc/lib/namespaces.sh
. "$(dirname "$0")/../../etc/lib/namespaces.sh"

export FULLBORE=${FULLBORE:-$repo/.build/release/fullbore}

# The demo's work folder is made in ours, and its processes carry the folder's name: whatever else runs on this machine,
# another demo too, is not mistaken for what ours has left.
mkdir "$work/tmp"
demo=""
run_demo() {
    TMPDIR=$work/tmp env --default-signal=INT,QUIT "$repo/etc/demo" >"$work/demo.log" 2>&1 &
    demo=$!
}

traces() {
    [[ ! $demo ]] || ip netns list | awk -v ours="^fb$demo-" '$1 ~ ours'
    find "$work/tmp" -mindepth 1
    for path in /run/fullbore/berlin /run/fullbore/lisbon /var/lib/fullbore/berlin /var/lib/fullbore/lisbon; do
        [[ ! -e $path ]] || echo "$path"
    done
    ip -o link | cut -d: -f2
    leftover_processes
}

traces >"$work/before"
clean() {
    traces >"$work/after"
    diff "$work/before" "$work/after" || fail "$1: it left something behind: $(tail -n 5 "$work/demo.log")"
}

run_demo
ends "$demo" 120 || fail "etc/demo does not end"
[[ $ended == 0 ]] || fail "etc/demo ended with $ended: $(cat "$work/demo.log")"
for words in 'bytes from 192.168.20.2' 'bytes from fd20::2' 'IPv4 in .*sha256 equal' 'IPv6 in .*sha256 equal' 'Gbit/s' \
    'berlin # fullbore show' 'lisbon # fullbore show' 'Nothing is left behind'; do
    grep -qE "$words" "$work/demo.log" || fail "etc/demo does not print '$words': $(cat "$work/demo.log")"
done
clean "to its end"
step "etc/demo: status 0, nothing left behind"

# Interrupted at each step: the pattern is the line after which the signal is sent.
said() { grep -qE "$1" "$work/demo.log"; }
while read -r signal status words; do
    run_demo
    eventually 60 said "$words" || fail "etc/demo does not come to '$words'"
    kill -"$signal" "$demo"
    ends "$demo" 20 || fail "SIG$signal after '$words': it does not end"
    [[ $ended == "$status" ]] || fail "SIG$signal after '$words': status $ended, not $status: $(tail -n 5 "$work/demo.log")"
    said 'Nothing is left behind' || fail "SIG$signal after '$words': $(tail -n 5 "$work/demo.log")"
    clean "SIG$signal after '$words'"
    step "SIG$signal after '$words': status $status, nothing left behind"
done <<'CASES'
INT 130 two offices
TERM 143 berlin.yaml: ready
INT 130 192.168.20.2 reach each other
TERM 143 IPv4 in .*sha256 equal
INT 130 IPv6 in .*sha256 equal
CASES
