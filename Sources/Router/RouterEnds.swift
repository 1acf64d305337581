import Configuration
import Linux
import PacketPath
import Pipeline
import TUN
import UDP
import Wire
import WireGuard

/// One interface's ends: a queue of its TUN device and a socket for every worker.
struct InterfaceEnds {
    let queues: [TUNQueue]
    let sockets: UDPSockets
}

/// The ends of a router on this machine: TUN devices and sockets, one of each for every worker and interface.
struct RouterEnds {
    /// By interface, then by worker.
    private var queues: [[TUNQueue]] = []
    private var ports: [[any UDPPort]] = []
    /// By interface.
    private(set) var replies: [(any ReplySender)?] = []
    private var listenPorts: [UInt16] = []
    private var missing: [Errno?] = []

    /// Makes the interfaces, which end with the last of their queues.
    init(_ plan: RouterPlan, _ indices: IndexSpace) throws(RouterError) {
        let offloads = plan.configuration.runtime.offloads
        for interface in plan.interfaces {
            let ends = try Self.open(interface.configuration, offloads, indices)
            ports.append(ends.sockets.ports)
            replies.append(ends.sockets.replies)
            listenPorts.append(ends.sockets.port)
            missing.append(ends.sockets.missingIPv6)
            queues.append(ends.queues)
        }
    }

    /// Makes an interface, which ends with the last of its queues.
    static func open(
        _ interface: InterfaceConfiguration, _ offloads: OffloadConfiguration, _ indices: IndexSpace
    ) throws(RouterError) -> InterfaceEnds {
        // The port first: when it is taken, no interface has come and gone.
        let sockets = try openSockets(interface, offloads, indices)
        return InterfaceEnds(queues: try openQueues(interface, offloads, workers: indices.workers), sockets: sockets)
    }

    /// One interface that is down, and so has no sockets: made here, or made already and handed over.
    init(down plan: RouterPlan, adopting device: TUNDevice?) throws(RouterError) {
        let offloads = plan.configuration.runtime.offloads
        for interface in plan.interfaces {
            ports.append((0..<plan.workers).map { _ in ClosedPort() })
            replies.append(nil)
            listenPorts.append(0)
            missing.append(nil)
            if let device {
                let coalesces = !device.offloads.isEmpty
                queues.append([TUNQueue(device, coalescesTCP: coalesces, coalescesUDP: coalesces)])
            } else {
                queues.append(try Self.openQueues(interface.configuration, offloads, workers: plan.workers))
            }
        }
    }

    func queues(of worker: Int) -> [TUNQueue] { queues.map { $0[worker] } }
    func ports(of worker: Int) -> [any UDPPort] { ports.map { $0[worker] } }
    func listenPort(_ interface: InterfaceID) -> UInt16 { listenPorts[interface.index] }
    func missingIPv6(_ interface: InterfaceID) -> Errno? { missing[interface.index] }

    /// One queue of each interface, to be asked about its link.
    var links: [LinkWatch.Interface] {
        queues.enumerated().compactMap { index, queues in
            queues[0].device.descriptor.map { LinkWatch.Interface(id: InterfaceID(index), tun: $0) }
        }
    }

    /// An interface's sockets at another port or with another mark.
    static func reopen(
        _ plan: RouterPlan, _ id: InterfaceID, port: UInt16, mark: UInt32, _ indices: IndexSpace
    ) throws(Errno) -> LiveChanges.Ends {
        let offloads = plan.configuration.runtime.offloads
        let sockets = try UDPSockets.open(options(offloads, port: port, mark: mark, indices), workers: plan.workers)
        return LiveChanges.Ends(port: sockets.port, ports: sockets.ports, replies: sockets.replies)
    }

    private static func options(
        _ offloads: OffloadConfiguration, port: UInt16, mark: UInt32, _ indices: IndexSpace
    ) -> UDPOptions {
        UDPOptions(
            port: port, mark: mark, segmentation: offloads.udpGSO != .off, coalescing: offloads.udpGRO != .off,
            steering: UDPSteering(key: indices.key, shift: IndexSpace.shift))
    }

    private static func openQueues(
        _ interface: InterfaceConfiguration, _ offloads: OffloadConfiguration, workers: Int
    ) throws(RouterError) -> [TUNQueue] {
        let wanted: TUNOffloads = offloads.tun == .off ? [] : .all
        let devices: [TUNDevice]
        do {
            devices = try TUNDevice.open(name: interface.name.value, queues: workers, offloads: wanted)
        } catch {
            throw .tun(error)
        }
        if offloads.tun == .on, let device = devices.first, device.offloads != wanted {
            throw .offloadMissing("\(interface.name.value): this kernel's TUN has not every offload")
        }
        let coalesces = offloads.tun != .off
        return devices.map { TUNQueue($0, coalescesTCP: coalesces, coalescesUDP: coalesces) }
    }

    private static func openSockets(
        _ interface: InterfaceConfiguration, _ offloads: OffloadConfiguration, _ indices: IndexSpace
    ) throws(RouterError) -> UDPSockets {
        let options = options(offloads, port: interface.listenPort.value, mark: interface.fwmark, indices)
        let sockets: UDPSockets
        do {
            sockets = try UDPSockets.open(options, workers: indices.workers)
        } catch {
            throw .port(interface.name.value, interface.listenPort.value, error)
        }
        if offloads.udpGSO == .on, !sockets.offloads.segmentation {
            throw .offloadMissing("\(interface.name.value): this kernel has no UDP_SEGMENT")
        }
        if offloads.udpGRO == .on, !sockets.offloads.coalescing {
            throw .offloadMissing("\(interface.name.value): this kernel has no UDP_GRO")
        }
        return sockets
    }
}
