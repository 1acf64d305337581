# The report of `etc/bench tunnel` from its measurements, one after the other: medians, bars, and what is to be drawn.

def median: sort | if length == 0 then null elif length % 2 == 1 then .[(length - 1) / 2]
    else (.[length / 2 - 1] + .[length / 2]) / 2 end;

# What a daemon's CPU time is divided by: a Gbit, or a packet that arrived (then it is microseconds).
def with_cpu_per_unit:
    if .gbit then . + {"sender-cpu": (."sender-cpu-ms" / .gbit), "receiver-cpu": (."receiver-cpu-ms" / .gbit)}
    elif ."packets-received" then . + {"sender-cpu": (."sender-cpu-ms" * 1000 / ."packets-received"),
        "receiver-cpu": (."receiver-cpu-ms" * 1000 / ."packets-received")}
    else . end
    | if ."sender-cpu" then . + {cpu: (."sender-cpu" + ."receiver-cpu")} else . end;

def metrics: ["gbit-per-second", "packets-per-second", "loss", "late", "offered", "sender-cpu", "receiver-cpu", "cpu", "replies", "p50", "p99"];

def medians: group_by([.scenario, .implementation]) | map(
    . as $runs
    | {scenario: .[0].scenario, implementation: .[0].implementation}
    + ([metrics[] | . as $metric | [$runs[] | .[$metric] // empty | numbers] | select(length > 0)
        | {key: $metric, value: {median: median, least: min, most: max}}] | from_entries));

[.[] | with_cpu_per_unit] as $all
| ($scenarios | split(" ")) as $order | ($names | split(" ")) as $implementations
| ($all | medians | sort_by([.scenario as $scenario | .implementation as $name | ($order | index($scenario)), ($implementations | index($name))])) as $medians
| def of($scenario; $implementation; $metric):
    [$medians[] | select(.scenario == $scenario and .implementation == $implementation) | .[$metric].median] | .[0] // null;
  def ratio($a; $b): if $a == null or $b == null or $b == 0 then null else $a / $b end;
  def to_go($scenario; $metric): ratio(of($scenario; "fullbore"; $metric); of($scenario; "wireguard-go"; $metric));
  def least($what; $form; $value; $floor; $goal): {what: $what, form: $form, value: $value, floor: $floor, goal: $goal,
    verdict: (if $value >= $goal then "ok" elif $value >= $floor then "ok (floor)" else "short" end)} | select(.value != null);
  def most($what; $form; $value; $floor; $goal): {what: $what, form: $form, value: $value, floor: $floor, goal: $goal, most: true,
    verdict: (if $value == null then "" elif $value <= $goal then "ok" elif $value <= $floor then "ok (floor)" else "short" end)} | select(.value != null);
  def below($what; $value): {what: $what, form: "times", value: $value, floor: 1, goal: 1, most: true,
    verdict: (if $value == null then "" elif $value < 1 then "ok" else "short" end)} | select(.value != null);

# Fullbore's bars. Those of TCP are set for machines with AVX-512, by the library that encrypts.
  (if $aead | startswith("ipsec") then {cpu: [6.5, 8], rate: [6.5, 8]} else {cpu: [4.2, 5], rate: [4.5, 5]} end) as $tcp
| [
    most("TCP, 1 stream: CPU of both daemons per bit, to wireguard-go's"; "fraction"; to_go("tcp-1"; "cpu"); 1 / $tcp.cpu[0]; 1 / $tcp.cpu[1]),
    least("TCP, 1 stream: rate, to wireguard-go's"; "times"; to_go("tcp-1"; "gbit-per-second"); $tcp.rate[0]; $tcp.rate[1]),
    ("64", "1400" | . as $bytes
        | least("UDP, \($bytes) bytes: packets/s, to wireguard-go's"; "times"; to_go("udp-\($bytes)"; "packets-per-second"); 3; 3),
        most("UDP, \($bytes) bytes: CPU per packet, to wireguard-go's"; "fraction"; to_go("udp-\($bytes)"; "cpu"); 1 / 3; 1 / 3)),
    least("TCP, 1 stream: host to host, to router to router"; "times";
        ratio(of("host-tcp-1"; "fullbore"; "gbit-per-second"); of("tcp-1"; "fullbore"; "gbit-per-second")); 0.85; 0.85),
    below("Ping beside TCP: p50, to wireguard-go's"; to_go("ping-loaded"; "p50")),
    below("Ping beside TCP: p99, to wireguard-go's"; to_go("ping-loaded"; "p99")),
    most("Ping beside TCP, shaped to half of the rate: p99"; "ms"; of("ping-shaped"; "fullbore"; "p99"); 5; 5)
] as $bars

| def values($scenario; $implementation; $metric; $scale):
    [$medians[] | select(.scenario == $scenario and .implementation == $implementation) | .[$metric]
        | if . then [.median, .least, .most] | map(. * $scale) else null end] | .[0] // null;
  def chart($title; $unit; $better; $log; $scale; $columns): # columns: [NAME, SCENARIO, METRIC]
    [$columns[] | select(.[1] as $scenario | any($medians[]; .scenario == $scenario))] as $shown
    | {title: $title, unit: $unit, better: $better, kind: "bars", log: $log, groups: [$shown[] | .[0]],
        series: [$implementations[] | . as $name
            | {name: $name, values: [$shown[] | values(.[1]; $name; .[2]; $scale)]}]}
    | select(.groups | length > 0);
  def tcp($metric): [["1 stream", "tcp-1"], ["8 streams", "tcp-8"], ["IPv4 in 6", "tcp-1-4in6"], ["IPv6 in 4", "tcp-1-6in4"],
    ["IPv6 in 6", "tcp-1-6in6"], ["host to host", "host-tcp-1"]] | map(. + [$metric]);
  def udp($metric): [["64 B", "udp-64"], ["512 B", "udp-512"], ["1400 B", "udp-1400"],
    ["64 B, hosts", "host-udp-64"], ["1400 B, hosts", "host-udp-1400"]] | map(. + [$metric]);
{
    version: 2, benchmark: "tunnel", date: $date, machine: $machine[0], versions: $versions,
    parameters: {rounds: $rounds, seconds: $seconds, "congestion-control": "cubic", mtu: $mtu, aead: $aead,
        "udp-offered-per-second": $offered, "generator-priority": $priority, "shaped-to-mbit": $shaped},
    units: {"gbit-per-second": "Gbit/s", "packets-per-second": "1/s, received", loss: "of what was sent",
        late: "packets after one that was sent later", p50: "ms", p99: "ms",
        cpu: "ms/Gbit where Gbit/s are measured, µs/packet received where packets/s are; both daemons"},
    medians: $medians, bars: $bars,
    charts: [
        chart("TCP: rate"; "Gbit/s"; "more"; false; 1; tcp("gbit-per-second")),
        chart("TCP: CPU time of both daemons"; "ms/Gbit"; "less"; false; 1; tcp("cpu")),
        chart("UDP without GSO: what arrives"; "1000 packets/s"; "more"; false; 0.001; udp("packets-per-second")),
        chart("UDP without GSO: CPU time of both daemons"; "µs/packet"; "less"; false; 1; udp("cpu")),
        chart("Ping"; "ms"; "less"; true; 1; [["idle, p50", "ping", "p50"], ["idle, p99", "ping", "p99"],
            ["full, p50", "ping-loaded", "p50"], ["full, p99", "ping-loaded", "p99"],
            ["full, hosts, p99", "host-ping-loaded", "p99"], ["shaped, p99", "ping-shaped", "p99"]])],
    rounds: $all
}
