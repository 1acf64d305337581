import Glibc
import Linux
import Wire

/// The sockets of one interface: one port of both families, shared by all workers.
package struct UDPSockets {
    /// How many kernel-chosen ports are tried until one is free in both families (P-6.4).
    package static let attempts = 100

    package let port: UInt16
    /// One for each worker.
    package let ports: [SocketPort]
    /// For threads that are no workers.
    package let replies: any ReplySender
    package let offloads: UDPOffloads
    /// Why there is no IPv6 socket; nil when there is one. IPv4 alone is enough to run.
    package let missingIPv6: Errno?

    /// Opens a pair for each of `workers`.
    ///
    /// A port that any other socket has is EADDRINUSE, in either family. The kernel spreads the senders over the
    /// workers by a hash of both addresses and ports.
    package static func open(_ options: UDPOptions, workers: Int) throws(Errno) -> UDPSockets {
        precondition(workers > 0)
        var attempt = 1
        while true {
            do {
                return try openOnce(options, workers: workers)
            } catch  where options.port == 0 && error == Errno(EADDRINUSE) && attempt < attempts {
                attempt += 1
            }
        }
    }

    private static func openOnce(_ options: UDPOptions, workers: Int) throws(Errno) -> UDPSockets {
        var offloads = UDPOffloads(segmentation: false, coalescing: false)
        let first = try UDPSocket.open(.v4, port: options.port, sharing: false, options: options, offloads: &offloads)
        let port = try UDPSocket.port(of: first.rawValue)

        var missingIPv6: Errno?
        var firstV6: FileDescriptor?
        do {
            firstV6 = try UDPSocket.open(.v6, port: port, sharing: false, options: options, offloads: &offloads)
        } catch  where meansNoIPv6(error) {
            missingIPv6 = error
        }
        if workers > 1 {
            try UDPSocket.share(first.rawValue)
            if let socket = firstV6?.rawValue { try UDPSocket.share(socket) }
        }

        var ports = [SocketPort(v4: first, v6: firstV6, offloads: offloads)]
        for _ in 1..<workers {
            let v4 = try UDPSocket.open(.v4, port: port, sharing: true, options: options, offloads: &offloads)
            var v6: FileDescriptor?
            if missingIPv6 == nil {
                v6 = try UDPSocket.open(.v6, port: port, sharing: true, options: options, offloads: &offloads)
            }
            ports.append(SocketPort(v4: v4, v6: v6, offloads: offloads))
        }
        if workers > 1, let steering = options.steering {
            // For all sockets of the port. A kernel that refuses spreads by addresses, as before.
            for socket in ports[0].descriptors { try? steering.attach(to: socket, workers: workers) }
        }
        let replies = try ports[0].makeReplySender()
        return UDPSockets(
            port: port, ports: ports, replies: replies, offloads: offloads, missingIPv6: missingIPv6)
    }

    /// The kernel has no IPv6, or has it switched off, or a sandbox keeps it away.
    private static func meansNoIPv6(_ error: Errno) -> Bool {
        switch error.rawValue {
        case EAFNOSUPPORT, EPROTONOSUPPORT, EADDRNOTAVAIL: true
        default: false
        }
    }
}
