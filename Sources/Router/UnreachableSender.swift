import Glibc
import Linux
import Locking
import Logging
import Pipeline
import Wire

/// Tells senders that their packets cannot be delivered (P-4.15 to P-4.17), on a thread of its own.
///
/// As the kernel does for its own interfaces: a packet that NAT has changed on its way into the tunnel is put back to what it
/// was, and the message goes to who sent it, from the address that the host uses towards it.
final class UnreachableSender: Sendable {
    /// More wait only when the thread doesn't come to run; they are left out then.
    private static let bound = 256

    private struct Waiting {
        var entries: [UndeliverablePackets.Entry] = []
        var isStopped = false
    }

    private let waiting = Guarded(Waiting())
    private let bell: Doorbell
    private let registry: PeerRegistry
    private let log: Logger
    /// Opened at once: a router that runs has no right to any more.
    private let socket: ICMPSocket

    init(_ registry: PeerRegistry, _ log: Logger) throws(Errno) {
        self.registry = registry
        self.log = log
        bell = try Doorbell()
        do throws(Errno) {
            socket = try ICMPSocket()
        } catch {
            log.warning("nobody is told of packets that cannot be delivered: \(error)")
            socket = .closed
        }
    }

    /// From a worker's thread, between two turns.
    func add(_ entries: [UndeliverablePackets.Entry]) {
        waiting.withLock { waiting in
            waiting.entries += entries.prefix(Self.bound - waiting.entries.count)
        }
        bell.ring()
    }

    func stop() {
        waiting.withLock { $0.isStopped = true }
        bell.ring()
    }

    /// Sends until `stop`.
    func run() {
        // Without connection tracking nothing is translated.
        var conntrack: Conntrack? = try? Conntrack()
        while true {
            let now = waiting.withLock { waiting in
                defer { waiting.entries = [] }
                return waiting
            }
            if now.isStopped { return }
            for entry in now.entries { send(entry, &conntrack) }
            if now.entries.isEmpty { bell.wait() }
        }
    }

    private func send(_ entry: UndeliverablePackets.Entry, _ conntrack: inout Conntrack?) {
        var quote = entry.quote
        guard let (version, sender) = Self.restore(&quote, &conntrack) else { return }
        let scope = sender.isLinkLocal ? unsafe if_nametoindex(registry.name(of: entry.interface)) : 0
        socket.send(ICMPUnreachable.message(quoting: quote, version), to: sender, interface: scope)
    }

    /// Puts the source back that the packet had before NAT, and tells who that is.
    private static func restore(_ quote: inout [UInt8], _ conntrack: inout Conntrack?) -> (IPAddress.Family, IPAddress)?
    {
        unsafe quote.withUnsafeMutableBytes { bytes in
            guard let ip = unsafe IPPacket(bytes), let start = bytes.baseAddress else { return nil }
            guard let original = conntrack?.originalSource(of: ip) else { return (ip.version, ip.source) }
            switch ip.version {
            case .v4:
                let bytes = UnsafeRawPointer(start)
                let old = unsafe bytes.memoryLong(at: IPv4Field.source)
                let checksum = unsafe bytes.memoryWord(at: IPv4Field.checksum)
                unsafe original.store(to: start + IPv4Field.source)
                let new = unsafe bytes.memoryLong(at: IPv4Field.source)
                unsafe start.storeMemory(
                    Checksum.updated(checksum, replacing: old, with: new), at: IPv4Field.checksum)
            case .v6: unsafe original.store(to: start + IPv6Field.source)
            }
            return (ip.version, original)
        }
    }
}
