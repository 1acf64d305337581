import Pipeline
import Testing
import Wire

/// What each type of option takes, and what it says of the rest.
struct OptionsValueTests {
    /// `text` read as a `T`: the value, or the error.
    private static func read<T: OptionValue>(_ text: String, isPlain: Bool = true, as type: T.Type) -> (T?, String?) {
        let diagnostics = Diagnostics()
        let value = T.read(Value(.scalar(.init(text, isPlain: isPlain)), at: .start), diagnostics)
        return (value, diagnostics.sorted.first?.message)
    }

    @Test(arguments: [
        ("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false), ("FALSE", false),
    ])
    func `the six words of YAML 1_2 are truth values`(_ text: String, _ value: Bool) {
        #expect(Self.read(text, as: Bool.self) == (value, nil))
    }

    @Test(arguments: [
        ("yes", "expected true or false, found 'yes' (did you mean 'true'?)"),
        ("on", "expected true or false, found 'on' (did you mean 'true'?)"),
        ("No", "expected true or false, found 'No' (did you mean 'false'?)"),
        ("flase", "expected true or false, found 'flase' (did you mean 'false'?)"),
        ("1", "expected true or false, found '1'"),
    ])
    func `no other word is one`(_ text: String, _ error: String) {
        #expect(Self.read(text, as: Bool.self) == (nil, error))
    }

    @Test(arguments: [
        ("0", 0), ("42", 42), ("+7", 7), ("-12", -12), ("0123", 123), ("0xca6c", 0xca6c), ("0xCA6C", 0xca6c),
        ("0o17", 15),
        ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
    ])
    func `whole numbers are those of YAML 1_2`(_ text: String, _ number: Int) {
        #expect(Self.read(text, as: Int.self) == (number, nil))
    }

    @Test(arguments: [
        "", "-", "+", "0x", "0o", "0o8", "0xg", "1.0", "1e3", "1_000", "--1", "-0x1", "0x-1", "0b1", "٣", "22:22", " 1",
        "1 ",
    ])
    func `nothing else is a whole number`(_ text: String) {
        #expect(Self.read(text, as: Int.self) == (nil, "expected a whole number, found '\(text)'"))
    }

    @Test func `a number outside of its type says so, and a quoted one too`() {
        let expected = "expected a whole number from 0 to 65535, found"
        #expect(Self.read("65535", as: UInt16.self) == (65535, nil))
        #expect(Self.read("65536", as: UInt16.self) == (nil, "\(expected) '65536', which is out of range"))
        #expect(Self.read("-1", as: UInt16.self) == (nil, "\(expected) '-1', which is out of range"))
        #expect(
            Self.read("1", isPlain: false, as: UInt16.self) == (
                nil, "\(expected) the quoted text \"1\": take the quotes away"
            ))
        #expect(Self.read("4294967295", as: UInt32.self) == (4_294_967_295, nil))
        #expect(
            Self.read("9223372036854775808", as: Int.self)
                == (nil, "expected a whole number, found '9223372036854775808', which is out of range"))
    }

    @Test(arguments: ["no", "22:22", "0x10", "", "true", "ü"])
    func `text is any scalar, plain or quoted`(_ text: String) {
        #expect(Self.read(text, as: String.self) == (text, nil))
        #expect(Self.read(text, isPlain: false, as: String.self) == (text, nil))
    }

    // MARK: Quantities

    @Test(arguments: [
        ("1bit", 1), ("800kbit", 800_000), ("100mbit", 100_000_000), ("2.5gbit", 2_500_000_000), ("0.5kbit", 500),
        ("1.000kbit", 1000), ("18446744073709551615bit", UInt64.max),
    ])
    func `a rate has a decimal unit`(_ text: String, _ rate: UInt64) {
        #expect(Self.read(text, as: BitRate.self) == (BitRate(bitsPerSecond: rate), nil))
    }

    @Test(arguments: [
        ("100", "bare number '100' where a unit is due: expected a rate such as 100mbit"),
        ("0", "bare number '0' where a unit is due: expected a rate such as 100mbit"),
        ("1.5", "bare number '1.5' where a unit is due: expected a rate such as 100mbit"),
        ("100Mbit", "expected a rate such as 100mbit, found '100Mbit' (did you mean '100mbit'?)"),
        ("100 mbit", "expected a rate such as 100mbit, found '100 mbit' (did you mean '100mbit'?)"),
        ("100mb", "expected a rate such as 100mbit, found '100mb': the units are bit, kbit, mbit, gbit"),
        ("fast", "expected a rate such as 100mbit, found 'fast'"),
        ("-1mbit", "expected a rate such as 100mbit, found '-1mbit'"),
        (".5mbit", "expected a rate such as 100mbit, found '.5mbit'"),
        ("1.mbit", "expected a rate such as 100mbit, found '1.mbit'"),
        ("1.2.3mbit", "expected a rate such as 100mbit, found '1.2.3mbit'"),
        ("1.5bit", "expected a rate such as 100mbit, found '1.5bit', which is not a whole number of bit"),
        ("99999999999gbit", "expected a rate such as 100mbit, found '99999999999gbit', which is too large"),
        (
            "99999999999999999999bit",
            "expected a rate such as 100mbit, found '99999999999999999999bit', which is too large"
        ),
    ])
    func `a rate without a right unit is told what is due`(_ text: String, _ error: String) {
        #expect(Self.read(text, as: BitRate.self) == (nil, error))
    }

    @Test(arguments: [
        ("1500B", 1500), ("64kB", 64_000), ("10MB", 10_000_000), ("1GB", 1_000_000_000), ("64KiB", 65_536),
        ("1MiB", 1_048_576), ("1GiB", 1_073_741_824), ("1.5kB", 1500),
    ])
    func `a size has a decimal or a binary unit`(_ text: String, _ bytes: UInt64) {
        #expect(Self.read(text, as: ByteCount.self) == (ByteCount(bytes), nil))
    }

    @Test(arguments: [
        ("60s", 60_000_000_000), ("5m", 300_000_000_000), ("250ms", 250_000_000), ("1.5s", 1_500_000_000),
        ("2h", 7_200_000_000_000),
        ("1d", 86_400_000_000_000), ("7us", 7000), ("3ns", 3), ("0.5h", 1_800_000_000_000),
    ])
    func `a length of time has a unit`(_ text: String, _ nanoseconds: UInt64) {
        #expect(Self.read(text, as: Interval.self) == (Interval(nanoseconds: nanoseconds), nil))
        #expect(
            Self.read("60", as: Interval.self)
                == (nil, "bare number '60' where a unit is due: expected a length of time such as 60s"))
    }

    @Test func `quantities are written in the largest unit that needs no fraction, and read back the same`() {
        #expect(BitRate(bitsPerSecond: 100_000_000).description == "100mbit")
        #expect(BitRate(bitsPerSecond: 1_500_000).description == "1500kbit")
        #expect(BitRate(bitsPerSecond: 0).description == "0bit")
        #expect(ByteCount(65_536).description == "64KiB")
        #expect(ByteCount(64_000).description == "64kB")
        #expect(Interval.seconds(90).optionText == "90s")
        #expect(Interval.seconds(120).optionText == "2m")
        var state: UInt64 = 1
        for shift in 0..<1000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = state >> UInt64(shift % 64)
            #expect(Self.read(BitRate(bitsPerSecond: number).description, as: BitRate.self).0?.bitsPerSecond == number)
            #expect(Self.read(ByteCount(number).description, as: ByteCount.self).0?.bytes == number)
            #expect(Self.read(Interval(nanoseconds: number).optionText, as: Interval.self).0?.nanoseconds == number)
        }
    }

    // MARK: Addresses

    @Test(
        arguments: [
            ("10.0.0.1", nil), ("fd00::1", nil),
            ("10.0.0", "expected an address such as 10.0.0.1 or fd00::1, found '10.0.0'"),
            ("10.0.0.1/32", "expected an address such as 10.0.0.1 or fd00::1, found '10.0.0.1/32'"),
        ] as [(String, String?)])
    func `an address has no length`(_ text: String, _ error: String?) {
        #expect(Self.read(text, as: IPAddress.self) == (error == nil ? IPAddress(text) : nil, error))
    }

    @Test(
        arguments: [
            ("10.1.2.3/8", "10.0.0.0/8", nil), ("10.1.2.3", "10.1.2.3/32", nil), ("::/0", "::/0", nil),
            ("10.0.0.0/33", nil, ": the length is a number from 0 to 32"),
            ("fd00::/129", nil, ": the length is a number from 0 to 128"),
            ("10.0.0.0/", nil, ": the length is a number from 0 to 32"),
            ("10.0.0.0/255.0.0.0", nil, ": the length is a number from 0 to 32"),
            ("10.0.0/8", nil, ""),
        ] as [(String, String?, String?)])
    func `a prefix has a length that fits its family`(_ text: String, _ prefix: String?, _ hint: String?) {
        let error = hint.map { "expected a prefix such as 10.0.0.0/24 or fd00::/64, found '\(text)'\($0)" }
        let read = Self.read(text, as: Prefix.self)
        #expect(read.0?.description == prefix)
        #expect(read.1 == error)
    }

    @Test(
        arguments: [
            ("vpn.example.net:51820", .name("vpn.example.net"), 51820), ("localhost:1", .name("localhost"), 1),
            ("a_b.example.:65535", .name("a_b.example."), 65535),
            ("xn--bcher-kva.example:9", .name("xn--bcher-kva.example"), 9),
            ("3com.com:80", .name("3com.com"), 80),
            ("192.0.2.1:51820", .address(IPAddress(v4: 0xc000_0201), zone: nil), 51820),
            ("[::1]:7", .address(IPAddress(v6High: 0, low: 1), zone: nil), 7),
            ("[fe80::1%eth0]:7", .address(IPAddress(v6High: 0xfe80 << 48, low: 1), zone: "eth0"), 7),
            ("[fe80::1%3]:7", .address(IPAddress(v6High: 0xfe80 << 48, low: 1), zone: "3"), 7),
        ] as [(String, HostPort.Host, UInt16)])
    func `an endpoint is a name or an address, and a port`(_ text: String, _ host: HostPort.Host, _ port: UInt16) {
        let read = Self.read(text, as: HostPort.self)
        #expect(read == (HostPort(host: host, port: port), nil))
        #expect(read.0?.description == text)
    }

    @Test func `only a numeric endpoint is known without a look-up`() {
        #expect(Self.read("192.0.2.1:7", as: HostPort.self).0?.endpoint == Endpoint("192.0.2.1:7"))
        #expect(Self.read("[fe80::1%3]:7", as: HostPort.self).0?.endpoint == Endpoint("[fe80::1%3]:7"))
        #expect(Self.read("[fe80::1%eth0]:7", as: HostPort.self).0?.endpoint == nil)
        #expect(Self.read("vpn.example.net:7", as: HostPort.self).0?.endpoint == nil)
    }

    @Test(arguments: [
        ("vpn.example.net", ": the port is missing"), ("vpn.example.net:", ": the port is a number from 1 to 65535"),
        ("vpn.example.net:0", ": the port is a number from 1 to 65535"),
        ("vpn.example.net:65536", ": the port is a number from 1 to 65535"),
        ("vpn.example.net:http", ": the port is a number from 1 to 65535"),
        ("2001:db8::1:51820", ": an IPv6 address stands in [ ], and the port after it"),
        ("::1", ": an IPv6 address stands in [ ], and the port after it"), ("10.0.0.300:7", ""), (":7", ""),
        ("a b:7", ""),
        ("-a.example:7", ""), ("a..example:7", ""), ("[192.0.2.1]:7", ""), ("[2001:db8::1%eth0]:7", ""),
        ("[fe80::1%]:7", ""),
        ("bücher.example:7", ""), ("\(String(repeating: "z", count: 64)).example:7", ""),
    ])
    func `anything else is no endpoint`(_ text: String, _ hint: String) {
        let expected =
            "expected an endpoint such as vpn.example.net:51820 or [2001:db8::1]:51820, found '\(text)'\(hint)"
        #expect(Self.read(text, as: HostPort.self) == (nil, expected))
    }

    // MARK: Choices, lists, records

    private enum Colour: String, OptionChoice { case red, green }

    @Test(
        arguments: [
            ("red", .red, nil), ("gren", nil, "expected one of red, green, found 'gren' (did you mean 'green'?)"),
            ("violet", nil, "expected one of red, green, found 'violet'"),
        ] as [(String, Colour?, String?)])
    private func `a choice is one of its words`(_ text: String, _ colour: Colour?, _ error: String?) {
        #expect(Self.read(text, as: Colour.self) == (colour, error))
    }

    @Test func `a list keeps what can be read of it and tells of the rest`() {
        let diagnostics = Diagnostics()
        let texts = ["1", "x", "3", "y"]
        let values = texts.enumerated().map { index, text in
            Value(.scalar(.init(text)), at: SourcePosition(line: 1, column: index + 1))
        }
        let list = [Located<Int>].read(Value(.sequence(values), at: .start), diagnostics)
        #expect(list?.map(\.value) == [1, 3])
        #expect(list?.map(\.position.column) == [1, 3])
        #expect(diagnostics.sorted.map(\.position?.column) == [2, 4])
    }

    @Test(arguments: [
        (Value.Content.null, "nothing"), (.sequence([]), "a list"), (.mapping(Value.Mapping([])), "a mapping"),
    ])
    func `what is no scalar is named`(_ content: Value.Content, _ found: String) {
        let diagnostics = Diagnostics()
        #expect(Int.read(Value(content, at: .start), diagnostics) == nil)
        #expect(diagnostics.sorted.map(\.message) == ["expected a whole number, found \(found)"])
    }
}
