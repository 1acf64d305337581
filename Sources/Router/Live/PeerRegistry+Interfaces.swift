import Configuration
import Locking
import Pipeline
import Wire

// Interfaces come and go with the file. Each has a slot, which is its number everywhere, and which another one may have after
// it.
extension PeerRegistry {
    /// Those that are there.
    var interfaces: [InterfaceID] {
        contents.withLock { $0.interfaces.filter { !$0.isVacant }.map(\.id) }
    }

    /// Numbers of interfaces are below it.
    var slotCount: Int { contents.withLock { $0.interfaces.count } }

    func interface(named name: String) -> InterfaceID? {
        contents.withLock { contents in contents.interfaces.first { !$0.isVacant && $0.name == name }?.id }
    }

    /// What an interface is called; of one that has gone, what it was called.
    func name(of id: InterfaceID) -> String {
        contents.withLock { $0.interfaces.indices.contains(id.index) ? $0.interfaces[id.index].name : "" }
    }

    /// Empty slots for `count` new interfaces; nil when there are fewer.
    func vacancies(_ count: Int) -> [InterfaceID]? {
        contents.withLock { contents in
            let left = contents.interfaces.filter(\.isVacant).map(\.id)
            let unused = (contents.interfaces.count..<contents.slots).map { InterfaceID($0) }
            return count <= left.count + unused.count ? Array((left + unused).prefix(count)) : nil
        }
    }

    /// An interface of a file is there from now on, without peers and without an identity so far.
    func occupy(_ id: InterfaceID, _ configuration: InterfaceConfiguration, port: UInt16) {
        contents.withLock { contents in
            let interface = RegisteredInterface(
                id: id, name: configuration.name.value, addresses: [], privateKey: nil, listenPort: port,
                fwmark: configuration.fwmark, isMarkFixed: configuration.takesDefaultRoute, mtu: configuration.mtu,
                isUp: true, isBound: true)
            if id.index < contents.interfaces.count {
                contents.interfaces[id.index] = interface
            } else {
                contents.interfaces.append(interface)
            }
        }
    }

    /// An interface that has no peers any more is gone.
    func vacate(_ id: InterfaceID) {
        contents.withLock { contents in
            contents.interfaces[id.index].isVacant = true
            contents.interfaces[id.index].isUp = false
            contents.interfaces[id.index].isBound = false
        }
    }
}
