import CLinux
import Glibc

/// What root is made of (capabilities(7)).
package enum Capability: Int, CaseIterable, Sendable {
    /// UDP ports below 1024.
    case netBindService = 10
    /// Links, addresses, routes, marks, firewall rules.
    case netAdmin = 12

    var bit: UInt64 { 1 << UInt64(rawValue) }
}

package enum Capabilities {
    /// CAP_LAST_CAP grows; the kernel says where it ends.
    private static let numberBound = 64

    /// Keeps of the calling thread's capabilities `kept` alone, and leaves none to programs that it might start. Threads that
    /// it makes thereafter have what it has.
    package static func keepOnly(_ kept: [Capability]) throws(Errno) {
        // Of no use without CAP_SETPCAP, and then of no importance: what is not permitted cannot be had back.
        for number in 0..<numberBound { _ = clinux_prctl(PR_CAPBSET_DROP, UInt(number), 0) }
        _ = clinux_prctl(PR_CAP_AMBIENT, UInt(PR_CAP_AMBIENT_CLEAR_ALL), 0)
        var capabilities = try current()
        let wanted = kept.reduce(0) { $0 | $1.bit }
        capabilities.permitted &= wanted
        capabilities.effective = capabilities.permitted
        capabilities.inheritable = 0
        try Errno.check(unsafe clinux_set_capabilities(&capabilities), "capset")
    }

    /// Whether the calling thread has it.
    package static func has(_ capability: Capability) -> Bool {
        (try? current()).map { $0.effective & capability.bit != 0 } ?? false
    }

    private static func current() throws(Errno) -> clinux_capabilities {
        var capabilities = clinux_capabilities()
        try Errno.check(unsafe clinux_get_capabilities(&capabilities), "capget")
        return capabilities
    }
}
