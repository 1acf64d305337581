import Configuration
import Control
import Glibc
import Linux
import Locking
import Logging
import Pipeline
import TUN
import UDP
import Wire

// Interfaces that a reload has brought or taken, as far as others than the workers have to do with them.
extension RunningRouter {
    /// After a change that did not come about: these interfaces are still there.
    func watchAgain(_ interfaces: [InterfaceID]) {
        for id in interfaces {
            if let tun = tunDescriptors.withLock({ $0[id] }) { links.add(LinkWatch.Interface(id: id, tun: tun)) }
        }
    }

    /// What is to be told of interfaces that have come and gone with `change`.
    func follow(_ change: FileChange) {
        for id in change.departures {
            uapi.remove(interface: registry.name(of: id))
            _ = tunDescriptors.withLock { $0.removeValue(forKey: id) }
        }
        for arrival in change.arrivals {
            let name = arrival.file.configuration.name.value
            if let tun = arrival.ends.queues[0].device.descriptor {
                tunDescriptors.withLock { $0[arrival.id] = tun }
                links.add(LinkWatch.Interface(id: arrival.id, tun: tun))
            }
            if let error = arrival.ends.sockets.missingIPv6 {
                logger.warning("\(name): IPv4 only, no IPv6 here (\(error.text))")
            }
            if let socket = UAPISocket.forWG(name, logger) { uapi.add(socket) }
        }
    }
}

extension UAPISocket {
    /// The socket for `wg`, as far as it can be had: a router works without, and another one may have an interface of the
    /// name in another network namespace.
    static func forWG(_ interface: String, _ logger: Logger) -> UAPISocket? {
        do throws(Errno) {
            return try UAPISocket(interface: interface)
        } catch {
            let why = error.rawValue == EADDRINUSE ? "another process serves an interface of this name" : "\(error)"
            logger.warning("\(interface): not to be seen by wg: \(why)")
            return nil
        }
    }
}
