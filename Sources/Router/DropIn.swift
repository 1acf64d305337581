import Configuration
import Control
import Glibc
import Linux
import PacketPath
import Pipeline
import TUN
import Wire

/// An interface without a file, to be set up by `wg`, `ip` and `wg-quick` as one of the kernel's would be.
package struct DropIn: ~Copyable {
    package let name: String
    /// A TUN device that is there already.
    private var tun: FileDescriptor?
    /// A UAPI socket that listens already.
    private var uapi: FileDescriptor?

    package init(_ name: String, tun: consuming FileDescriptor?, uapi: consuming FileDescriptor?) {
        self.name = name
        self.tun = tun
        self.uapi = uapi
    }

    /// The device that was handed over, if one was; its name has to be the interface's.
    mutating func adoptDevice() throws(RouterError) -> TUNDevice? {
        guard let file = tun.take() else { return nil }
        let device: TUNDevice
        do {
            device = try TUNDevice.adopt(file)
        } catch {
            throw .tun(error)
        }
        guard device.name == name else {
            throw .tun(.refused(name, Errno(EINVAL, call: "the device is \(device.name)")))
        }
        return device
    }

    mutating func listen() throws(RouterError) -> UAPISocket {
        do throws(Errno) {
            if let listening = uapi.take() { return try UAPISocket(interface: name, listening: listening) }
            return try UAPISocket(interface: name)
        } catch {
            let path = "\(UAPISocket.defaultDirectory)/\(name).sock"
            throw error.rawValue == EADDRINUSE ? .alreadyServed(name) : .control(path, error)
        }
    }

    /// A router file would say as much. A device that is handed over has one queue, and so one worker.
    static func configuration(_ name: String, isAdopted: Bool) -> RouterConfiguration {
        func here<Value>(_ value: Value) -> Located<Value> {
            Located(value, at: SourcePosition(line: 0, column: 0))
        }
        var runtime = RuntimeConfiguration()
        if isAdopted { runtime.workers = .count(1) }
        // As in the kernel: what is gone is forgotten.
        runtime.remembersTimestamps = false
        let interface = InterfaceConfiguration(
            name: here(name), privateKey: nil, listenPort: here(0), routes: false)
        return RouterConfiguration(
            name: name, pipeline: coreStages.map { PipelineEntry(stage: here($0.name)) }, interfaces: [interface],
            runtime: runtime, forwarding: .off)
    }

    static func hostSide(_ name: String) -> HostInterface {
        var interface = HostInterface(name: name, mtu: InterfaceConfiguration.defaultMTU)
        interface.comesUp = false
        return interface
    }
}
