#!/usr/bin/env bash
# mitmproxy.sh [IMPL]: IMPL (fullbore when left out) against the WireGuard of mitmproxy, a server in Rust from PyPI: a handshake,
# and 2 MB fetched through the tunnel with equal sha256. It has no preshared keys, never begins, and forwards TCP and UDP alone.
#
#   ours ── wire ───────────────── wire ── theirs       outer: 10.0.0.{1,2}
#    wg0 10.0.1.1/32 ····················· mitmdump     lo 198.51.100.9: a web server, which ours sees through theirs alone
#
# timeout: 400
set -euo pipefail
# shellcheck source=../../etc/lib/tunnel.sh
. "$(dirname "$0")/../../etc/lib/tunnel.sh"

readonly ours=${1:-fullbore}
readonly wanted=11.0.2 # mitmproxy's version: what is tested does not change from day to day
readonly place=$repo/.build/mitmproxy-$wanted
readonly size=2000000 # bytes

. "$(dirname "$0")/../../etc/lib/prerequisites.sh"
if [[ ! -x $place/bin/mitmdump ]]; then
    optional_packages python || skip "no Python with venv: $missing"
    {
        python3 -m venv "$place" && interruptible "$place/bin/pip" install --quiet "mitmproxy==$wanted"
    } >"$work/pip.log" 2>&1 || { rm -rf "$place"; skip "mitmproxy $wanted cannot be had: $(tail -n1 "$work/pip.log")"; }
fi

node ours theirs
wire ours wire theirs wire
address ours wire 10.0.0.1/24
address theirs wire 10.0.0.2/24
address theirs lo 198.51.100.9/32
mkdir "$work/web" "$work/mitm"
random_file "$work/web/file" "$size"
spawn theirs "$work/web.log" python3 -m http.server --bind 198.51.100.9 --directory "$work/web" 80
server_key=$(wg genkey) client_key=$(wg genkey)
(umask 077 && printf '{"server_key": "%s", "client_key": "%s"}\n' "$server_key" "$client_key" >"$work/mitm/keys")
spawn theirs "$work/mitm.log" "$place/bin/mitmdump" --set confdir="$work/mitm" --mode "wireguard:$work/mitm/keys@$default_port"
bound() { [[ $(on theirs ss -Hlun "sport = :$default_port") && $(on theirs ss -Hltn "sport = :80") ]]; }
eventually 30 bound || fail "mitmdump does not listen: $(tail -n 5 "$work/mitm.log")"

private_key[ours]=$client_key
interface ours "$ours" addresses=10.0.1.1/32
public_key[theirs]=$(wg pubkey <<<"$server_key")
peer ours theirs endpoint="10.0.0.2:$default_port" allowed=198.51.100.0/24 keepalive=5
up ours
greeted() { (($(handshake_of ours theirs) > 0)); }
eventually 15 greeted || fail "no handshake: $(tail -n 5 "$work/mitm.log")"
step "a handshake, which a keepalive has asked for"
on ours curl --silent --fail --max-time 60 --output "$work/received" http://198.51.100.9/file || fail "nothing comes through: $(tail -n 5 "$work/mitm.log")"
[[ $(sha256sum <"$work/web/file") == "$(sha256sum <"$work/received")" ]] || fail "sha256 differs"
grep -q "GET http://198.51.100.9/file" "$work/mitm.log" || fail "mitmproxy has seen nothing of it"
(($(received_by ours theirs) > size)) || fail "it did not come through the tunnel"
step "$size bytes through mitmproxy's tunnel, with equal sha256"
down ours
