# The report of `etc/bench tunnel` for people.

def fixed($digits): if . == null then "" else
    (pow(10; $digits)) as $scale | . * $scale | round / $scale | tostring
    | if $digits == 0 then . else (if test("\\.") then . else . + "." end) + "0" * $digits | .[:(index(".") + 1 + $digits)] end end;
def left($width): . + " " * ([$width - length, 0] | max);
def right($width): " " * ([$width - length, 0] | max) + .;
def row($widths): . as $cells | (.[0] | left(18)) + (.[1] | left(16)) + ([range(2; $cells | length) | . as $i | $cells[$i] | right(11)] | join(""));

def shown($value; $form): if $form == "fraction" then "1/" + (1 / $value | fixed(1))
    elif $form == "times" then ($value | fixed(2)) + "×" else ($value | fixed(2)) + " " + $form end;
def bar: (if .most then (if .form == "times" then "< " else "≤ " end) else "≥ " end) as $sign
    | $sign + shown(.floor; .form) + (if .goal != .floor then ", goal " + shown(.goal; .form) else "" end);

. as $report
| def go($metric): . as $row | [$report.medians[] | select(.scenario == $row.scenario and .implementation == "wireguard-go")
    | .[$metric].median] | .[0] // null | if . and $row[$metric] and . > 0 then $row[$metric].median / . | fixed(2) else "" end;
  def of_kind($test): [$report.medians[] | select(.scenario | test($test))];
  def table($head; $rows): if $rows | length > 0 then "", ($head | row([])), ($rows[] | row([])) else empty end;

"",
"\(.machine.cpu), \(.machine.cores) cores (\(.machine.flags | join(" "))), \(.machine.kernel), load \(.machine."load-before") before, \(.date)",
(.versions | to_entries[] | "  \(.key): \(.value)"),
"  Fullbore's AEAD: \(.parameters.aead)",
"Medians of \(.parameters.rounds) rounds of \(.parameters.seconds) s; \"rate\" and \"CPU\" are ratios to wireguard-go's",
table(["TCP", "", "Gbit/s", "ms/Gbit:", "sender", "receiver", "rate", "CPU"];
    [of_kind("tcp")[] | [.scenario, .implementation, (."gbit-per-second".median | fixed(2)), "", (."sender-cpu".median | fixed(0)),
        (."receiver-cpu".median | fixed(0)), go("gbit-per-second"), go("cpu")]]),
table(["UDP, no GSO", "", "packets/s", "µs/packet:", "sender", "receiver", "offered", "loss %", "late", "rate", "CPU"];
    [of_kind("udp")[] | [.scenario, .implementation, (."packets-per-second".median | fixed(0)), "", (."sender-cpu".median | fixed(2)),
        (."receiver-cpu".median | fixed(2)), (.offered.median | fixed(0)), (.loss.median * 100 | fixed(1)), (.late.most | tostring), go("packets-per-second"), go("cpu")]]),
table(["Ping", "", "p50 ms", "p99 ms", "Gbit/s"];
    [of_kind("ping")[] | [.scenario, .implementation, (.p50.median | fixed(2)), (.p99.median | fixed(2)), (."gbit-per-second".median | fixed(2))]]),
(if .bars | length > 0 then "", "Bars" else empty end),
(.bars[] | "  \(.what | left(64))\(shown(.value; .form) | right(9))   \(bar | left(22)) \(.verdict)")
