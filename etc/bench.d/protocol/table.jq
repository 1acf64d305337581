# The report of `etc/bench protocol` for people.

def right($width): tostring | " " * ([$width - length, 0] | max) + .;
def left($width): . + " " * ([$width - length, 0] | max);
def or_dash: if . == null then "-" else . end;
def row: (.[0] | right(6)) + "  " + (.[1] | left(11)) + (.[2:] | map(right(9)) | join(""));
def verdict: if .instructions > .most then ": too many" else "" end;
def cells($index): .[$index] | [.ns.median, ."cipher-ns".median, (.bar | or_dash)];

"",
"\(.machine.cpu), \(.machine.cores) cores (\(.machine.flags | join(" "))), \(.machine.kernel), load \(.machine."load-before") before, \(.date)",
"Nanoseconds of CPU time a packet, medians of \(.parameters.runs) runs; the bars of ipsec-mb are for a CPU with AVX-512 IFMA",
"",
(["bytes", "AEAD", "seal", "cipher", "bar", "open", "cipher", "bar"] | row),
# Seal and open stand one after the other.
(.medians as $medians | range(0; $medians | length; 2) | $medians[.:. + 2] | [.[0].bytes, .[0].aead] + cells(0) + cells(1) | row),
"",
(.counts[] | select(.bytes) | "The protocol alone at \(.bytes) bytes, both directions: \(.instructions) instructions a packet, at most \(.most)\(verdict)"),
"",
(.handshake | "One side of a handshake: \(."whole-ns".median) ns, \(1e9 / ."whole-ns".median | floor) a second on a core; \(."computation-ns".median) ns of it are computed by threads for handshakes",
    "Curve25519 alone: \(."x25519-ns".median) ns, \(1e9 / ."x25519-ns".median | floor) a second: \(."x25519-of-whole".median | round) % of the whole (bar: \(.bar)), \(."x25519-of-computation".median | round) % of the computations"),
(.counts[] | select(.bytes | not) | "Besides Curve25519 \(.instructions) instructions, at most \(.most)\(verdict)")
