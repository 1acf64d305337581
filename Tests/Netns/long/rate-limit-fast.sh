#!/usr/bin/env bash
# rate-limit-fast.sh [SECONDS]: a thousand limited peers that are idle cost next to no CPU time, and TCP through a limit of 500 Mbit/s
# has that rate. Skipped where the tunnel does not have the rate without a limit.
# timeout: 300
#
#   router ── wan ──────────── wan ── client
#       10.0.0.1                10.0.0.2
#   wg0 192.168.241.1, fd00::1 ······ wg0 192.168.241.2, fd00::2      the router limits the client
set -euo pipefail
# shellcheck source=../../../etc/lib/rates.sh
. "$(dirname "$0")/../../../etc/lib/rates.sh"

readonly seconds=${1:-15}
readonly fast=500 needed=600 # Mbit/s; so much without a limit
readonly idle_peers=1000 idle_seconds=10
readonly idle_milliseconds=500 # of CPU time in them: 5 % of a core

node router client
wire router wan client wan
address router wan 10.0.0.1/24
address client wan 10.0.0.2/24

routers() { # routers [STAGE]: with this stage in the router's pipeline
    interface router fullbore addresses="192.168.241.1/24 fd00::1/64" \
        extra="pipeline: [tun, allowed-ips, ${1:+$1, }wireguard, udp]"
    interface client fullbore addresses="192.168.241.2/24 fd00::2/64"
    peer router client endpoint="10.0.0.2:$default_port" allowed="192.168.241.2/32 fd00::2/128"
    peer client router endpoint="10.0.0.1:$default_port" allowed="192.168.241.1/32 fd00::1/128"
}

# ---- Idle peers

cpu_milliseconds() { # of all threads, in the kernel too
    awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); print int(($12 + $13) * 1000 / hz)}' "/proc/${daemon[$1]}/stat"
}

routers "{ rate-limit: { default: { down: 100mbit, up: 50mbit } } }"
for ((number = 0; number < idle_peers; number++)); do
    public_key[idle$number]=$(head -c 32 /dev/urandom | base64)
    peer router "idle$number" allowed="10.9.$((number / 250)).$((number % 250 + 1))/32"
done
up client
up router
pings client 192.168.241.1 1
sleep 2
before=$(cpu_milliseconds router)
((before > 0)) || fail "starting a router took no CPU time: this is not how to measure it"
sleep "$idle_seconds"
spent=$(($(cpu_milliseconds router) - before))
((spent < idle_milliseconds)) || fail "$idle_peers idle peers with limits took $spent ms of CPU time in $idle_seconds s"
step "$idle_peers idle peers with limits: $spent ms of CPU time in $idle_seconds s, $before ms until then"
down router
down client

# ---- 500 Mbit/s

routers
up client
up router
free=$(measure router client 192.168.241.2 "$seconds")
step "without a limit: $(mbits "$free")"
down router
down client
((free >= needed * 1000000)) || skip "without a limit the tunnel has $(mbits "$free"), less than $needed Mbit/s"

routers "{ rate-limit: { default: { down: ${fast}mbit } } }"
up client
up router
expect_rate "$fast" "$(measure router client 192.168.241.2 "$seconds")" IPv4
expect_rate "$fast" "$(measure router client fd00::2 "$seconds")" IPv6
down router
down client
