import Pipeline

/// Which names there can be: they become parts of paths, of socket names and of nftables tables.
enum Names {
    /// One label of a host's name; with it the control socket's path stays within sun_path's 107 bytes.
    static let maximumLength = 63
    /// IFNAMSIZ less the terminating zero.
    static let maximumInterfaceLength = 15
    /// The kernel keeps settings under these beside the interfaces' names (net.ipv4.conf.all), or has them already.
    private static let reservedInterfaces = ["all", "default", "lo"]

    /// What `problem` says of a name, and of an interface's, as a regular expression; it knows no reserved names.
    static let pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,\(maximumLength - 1)}$"
    static let interfacePattern = "^[A-Za-z0-9_=+.-]{1,\(maximumInterfaceLength)}$"

    /// Why `name` cannot be an instance's or a peer's; nil when it can.
    static func problem(withName name: String) -> String? {
        let bytes = name.utf8
        guard (1...maximumLength).contains(bytes.count),
            bytes.allSatisfy({ isAlphanumeric($0) || "._-".utf8.contains($0) }),
            let first = bytes.first, isAlphanumeric(first)
        else {
            return "\(Quotation.quote(name)) cannot be a name: that is 1 to \(maximumLength) letters, digits, '.', '_' "
                + "and '-', the first a letter or a digit"
        }
        return nil
    }

    /// Why `name` cannot be an interface's; nil when it can. The characters are those of wg-quick.
    static func problem(withInterface name: String) -> String? {
        let bytes = name.utf8
        guard (1...maximumInterfaceLength).contains(bytes.count), name != ".", name != "..",
            bytes.allSatisfy({ isAlphanumeric($0) || "_=+.-".utf8.contains($0) })
        else {
            return
                "\(Quotation.quote(name)) cannot be an interface: its name is 1 to \(maximumInterfaceLength) letters, "
                + "digits, '_', '=', '+', '.' and '-'"
        }
        return reservedInterfaces.contains(name)
            ? "\(Quotation.quote(name)) cannot be an interface: Linux reserves the name" : nil
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
