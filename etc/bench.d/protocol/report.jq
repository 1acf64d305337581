# The report of `etc/bench protocol`, of the lines that its measurements have left.

def median: sort | .[(length - 1) / 2 | floor];
def spread: if length == 0 then null else {median: median, least: min, most: max} end;

# Nanoseconds a packet: what the protocol itself may take; and 0.65 of what boringtun takes with its cipher (1023 and 960 ns
# at 1420 bytes, 215 and 265 at 64, on a CPU with AVX-512 IFMA).
def bar($aead; $bytes; $direction):
    if $aead == "null" then 40
    elif $aead == "ipsec-mb" then {"64 seal": 140, "64 open": 172, "1420 seal": 665, "1420 open": 624}["\($bytes) \($direction)"]
    else null end;
# Percent of the time of a handshake that are Curve25519.
def handshake_bar: 90;

def ns($of): map(select(.of == $of).ns) | spread;
def names: reduce .[] as $name ([]; if index($name) then . else . + [$name] end);

($packets | map(.aead) | names) as $aeads
| ($packets | map(.bytes) | names) as $sizes
| [$sizes[] as $bytes | $aeads[] as $aead | ("seal", "open") as $direction
    | [$packets[] | select(.bytes == $bytes and .aead == $aead and .direction == $direction)]
    | {bytes: $bytes, aead: $aead, direction: $direction, ns: ns("protocol"), "cipher-ns": ns("cipher"), bar: bar($aead; $bytes; $direction)}] as $medians
| {
    version: 1, benchmark: "protocol", date: $date, machine: $machine[0], versions: {}, parameters: {runs: $runs, "handshake-runs": $handshake_runs},
    medians: $medians,
    handshake: ($handshakes | {
        "whole-ns": (map(.whole) | spread), "computation-ns": (map(.computation) | spread), "x25519-ns": (map(.x25519) | spread),
        # Of each run, whose parts have had the same neighbours.
        "x25519-of-whole": (map(100 * .x25519 / .whole) | spread), "x25519-of-computation": (map(100 * .x25519 / .computation) | spread),
        bar: handshake_bar}),
    counts: $counts,
    charts: [("seal", "open") as $direction | {
        title: "A packet, \($direction)", unit: "ns", better: "less", kind: "bars", groups: [$sizes[] | "\(.) bytes"],
        series: [$aeads[] as $aead | {name: $aead, values: [$sizes[] as $bytes
            | $medians[] | select(.aead == $aead and .bytes == $bytes and .direction == $direction).ns | [.median, .least, .most]]}],
        bars: []}]
}
