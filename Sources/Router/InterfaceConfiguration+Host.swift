import Configuration
import Linux
import Pipeline

extension InterfaceConfiguration {
    /// What the host has to know of it.
    var hostSide: HostInterface {
        let prefixes = routes ? peers.flatMap { $0.allowedIPs.map(\.value) } : []
        var interface = HostInterface(
            name: name.value, mtu: mtu,
            addresses: addresses.compactMap { address in
                Linux.InterfaceAddress(address.value.address, prefixLength: address.value.length)
            },
            routes: prefixes.map { Route($0) })
        if takesDefaultRoute { interface.divertDefaultRoutes(mark: fwmark) }
        return interface
    }
}
