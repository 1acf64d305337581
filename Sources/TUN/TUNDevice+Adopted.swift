import CLinux
import Glibc
import Linux
import Wire

// Devices that are there already, and where they are now.
extension TUNDevice {
    /// Takes over a queue of a TUN device that somebody else has made, without packet information (IFF_NO_PI); with
    /// virtio headers or without.
    package static func adopt(_ file: consuming FileDescriptor, offloads: TUNOffloads = .all) throws(TUNError)
        -> TUNDevice
    {
        guard let (name, flags) = attributes(of: file.rawValue) else {
            throw .refused("descriptor \(file.rawValue)", .last("TUNGETIFF"))
        }
        guard flags & CLINUX_TUN_LAYER3.rawValue != 0, flags & CLINUX_TUN_NO_PI.rawValue != 0 else {
            throw .refused(name, Errno(EINVAL, call: "not a TUN device, or one with packet information"))
        }
        do throws(Errno) {
            try file.setNonblocking()
            try Errno.check(fcntl(file.rawValue, F_SETFD, FD_CLOEXEC), "fcntl")
        } catch {
            throw .refused(name, error)
        }
        guard flags & CLINUX_TUN_VNET_HDR.rawValue != 0 else {
            return TUNDevice(name: name, offloads: [], hasHeaders: false, file: file)
        }
        var size = CInt(VirtioHeader.length)
        guard unsafe ioctl(file.rawValue, UInt(CLINUX_TUNSETVNETHDRSZ.rawValue), &size) == 0 else {
            throw .refused(name, .last("TUNSETVNETHDRSZ"))
        }
        let granted = try negotiate(file, name, offloads)
        return TUNDevice(name: name, offloads: granted, file: file)
    }

    /// What the device is called now, wherever it has been moved to; nil once it is gone.
    package static func currentName(of descriptor: CInt) -> String? { attributes(of: descriptor)?.name }

    /// The network namespace that the device is in now; it may not be ours any more (P-9.8).
    package static func namespace(of descriptor: CInt) throws(Errno) -> NetworkNamespace {
        NetworkNamespace(
            try FileDescriptor(ioctl(descriptor, UInt(CLINUX_TUNGETDEVNETNS.rawValue), 0), "TUNGETDEVNETNS"))
    }

    private static func attributes(of descriptor: CInt) -> (name: String, flags: UInt32)? {
        var request = unsafe ifreq()
        guard unsafe ioctl(descriptor, UInt(CLINUX_TUNGETIFF.rawValue), &request) == 0 else { return nil }
        let name = unsafe withUnsafeBytes(of: &request.ifr_ifrn.ifrn_name) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return unsafe (name, UInt32(UInt16(bitPattern: request.ifr_ifru.ifru_flags)))
    }
}
