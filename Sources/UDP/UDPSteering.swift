import CLinux
import Glibc
import Linux

/// Lets the kernel put a datagram into the socket of the worker that owns its receiver, so that workers need not hand
/// it on: `((word at offset 4) × key >> shift) mod workers`, which is `IndexSpace.owner` of the index there.
///
/// It is an optimisation only, made for data, whose receiver stands there. In initiations and responses that word is
/// the sender's: these arrive anywhere, and the workers sort it out.
package struct UDPSteering: Hashable, Sendable {
    package var key: UInt32
    package var shift: UInt32

    package init(key: UInt32, shift: UInt32) {
        self.key = key
        self.shift = shift
    }

    /// Where data messages have the receiver's index, counted from the payload's start.
    private static let indexOffset: UInt32 = 4

    /// A classic BPF program over the payload (SO_ATTACH_REUSEPORT_CBPF, socket(7)); its result is the number of the
    /// socket in the order of binding. A datagram too short for the load ends it with 0.
    func attach(to socket: CInt, workers: Int) throws(Errno) {
        var program = [
            sock_filter(code: UInt16(BPF_LD | BPF_W | BPF_ABS), jt: 0, jf: 0, k: Self.indexOffset),
            sock_filter(code: UInt16(BPF_ALU | BPF_MUL | BPF_K), jt: 0, jf: 0, k: key),
            sock_filter(code: UInt16(BPF_ALU | BPF_RSH | BPF_K), jt: 0, jf: 0, k: shift),
            sock_filter(code: UInt16(BPF_ALU | Self.modulo | BPF_K), jt: 0, jf: 0, k: UInt32(workers)),
            sock_filter(code: UInt16(BPF_RET | Self.accumulator), jt: 0, jf: 0, k: 0),
        ]
        let length = UInt16(program.count)
        let result = unsafe program.withUnsafeMutableBufferPointer { program in
            var filter = unsafe sock_fprog(len: length, filter: program.baseAddress)
            return unsafe setsockopt(
                socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, socklen_t(MemoryLayout<sock_fprog>.size))
        }
        _ = try Errno.check(result, "SO_ATTACH_REUSEPORT_CBPF")
    }

    // linux/bpf_common.h and linux/filter.h, where Swift does not see them.
    private static let modulo: CInt = 0x90
    private static let accumulator: CInt = 0x10
}
