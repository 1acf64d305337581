import Glibc
import Wire

/// A kernel setting under /proc/sys, in the network namespace of the thread that opens it.
package struct Sysctl: Hashable, Sendable {
    /// Below /proc/sys: `net/ipv4/ip_forward`. Written with slashes, because an interface's name may have a dot in it.
    package let path: String

    package init(_ path: String) { self.path = path }

    package static let forwardingV4 = Sysctl("net/ipv4/ip_forward")
    package static let forwardingV6 = Sysctl("net/ipv6/conf/all/forwarding")

    /// Whether the host tells senders on the link of a shorter way (P-9.9: a tunnel must not). On where either the
    /// interface's or the one for `all` is.
    package static func sendRedirects(_ interface: String) -> Sysctl {
        Sysctl("net/ipv4/conf/\(interface)/send_redirects")
    }

    /// Whether the next IPv4 address of a network takes the place of the first when that goes, instead of going with it.
    package static func promoteSecondaries(_ interface: String) -> Sysctl {
        Sysctl("net/ipv4/conf/\(interface)/promote_secondaries")
    }

    /// The forwarding switch of each interface of a family, and of those to come, which writing the one for all
    /// overwrites.
    package static func forwardingOfInterfaces(_ family: IPAddress.Family) -> [Sysctl] {
        let folder = "net/ip\(family == .v4 ? "v4" : "v6")/conf"
        return names(in: "/proc/sys/\(folder)").filter { $0 != "all" }.map { Sysctl("\(folder)/\($0)/forwarding") }
    }

    /// Whether an interface takes routes from router advertisements: 1 does so only where it does not forward, 2 always.
    package static func acceptRouterAdvertisements(_ interface: String) -> Sysctl {
        Sysctl("net/ipv6/conf/\(interface)/accept_ra")
    }

    /// The interfaces that lose what they learn from router advertisements, a default route above all, once the host
    /// forwards IPv6.
    package static var interfacesOnRouterAdvertisements: [String] {
        names(in: "/proc/sys/net/ipv6/conf").filter { name in
            name != "all" && name != "default" && (try? acceptRouterAdvertisements(name).read()) == "1"
        }
    }

    /// How an interface looks at where packets come from (RFC 3704): 0 not at all, 1 strictly, as if they came back the way
    /// that the answers take, 2 loosely, from anywhere that has a route. The larger of its own and the one for `all` counts.
    package static func reversePathFilter(_ interface: String) -> Sysctl {
        Sysctl("net/ipv4/conf/\(interface)/rp_filter")
    }

    /// The interfaces that filter strictly, and `default` where those to come will.
    package static var interfacesFilteringStrictly: [String] {
        func value(_ name: String) -> String? { try? reversePathFilter(name).read() }
        let all = value("all")
        return names(in: "/proc/sys/net/ipv4/conf").filter { name in
            guard name != "all", let own = value(name) else { return false }
            return [all, own].contains("1") && ![all, own].contains("2")
        }
    }

    private static func names(in path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
                unsafe String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The value, without the newline at its end.
    package func read() throws(Errno) -> String { try Self.read(file: "/proc/sys/\(path)") }

    /// Throws where `write` could not even begin: it is not there, or /proc/sys is read-only, as in many a container.
    package func checkWritable() throws(Errno) { _ = try FileDescriptor.open("/proc/sys/\(path)", O_WRONLY) }

    package func write(_ value: String) throws(Errno) {
        let name = "/proc/sys/\(path)"
        let file = try FileDescriptor.open(name, O_WRONLY)
        var bytes = Array(value.utf8)
        let written = unsafe bytes.withUnsafeMutableBytes {
            unsafe Glibc.write(file.rawValue, $0.baseAddress, $0.count)
        }
        try Errno.check(written, "write \(name)")
    }

    /// The start of a small file of the kernel's, without the newline at its end.
    package static func read(file name: String) throws(Errno) -> String {
        let file = try FileDescriptor.open(name)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
        try Errno.check(count, "read \(name)")
        let text = bytes[..<count]
        return String(decoding: text.last == UInt8(ascii: "\n") ? text.dropLast() : text, as: UTF8.self)
    }
}
