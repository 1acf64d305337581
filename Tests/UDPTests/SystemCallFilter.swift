import CLinux
import Glibc
import Linux

/// Makes system calls fail on the calling thread, as another kernel or another moment would.
enum SystemCallFilter {
    /// The call gives this error from now on; everything else is as it was.
    static func refuse(_ call: CInt, with error: CInt) throws(Errno) {
        try install([
            sock_filter(code: UInt16(BPF_LD | BPF_W | BPF_ABS), jt: 0, jf: 0, k: 0),
            sock_filter(code: UInt16(BPF_JMP | BPF_JEQ | BPF_K), jt: 0, jf: 1, k: UInt32(call)),
            sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: 0x0005_0000 | UInt32(error)),
            sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: 0x7fff_0000),
        ])
    }

    /// socket(AF_INET6, …) is EAFNOSUPPORT from now on; everything else is as it was.
    static func refuseIPv6Sockets() throws(Errno) {
        let load = UInt16(BPF_LD | BPF_W | BPF_ABS)
        let jumpIfEqual = UInt16(BPF_JMP | BPF_JEQ | BPF_K)
        let give = UInt16(BPF_RET | BPF_K)
        // struct seccomp_data: the call's number, the architecture, the instruction's address, six arguments.
        let number: UInt32 = 0
        let firstArgument: UInt32 = 16
        let allow: UInt32 = 0x7fff_0000
        let refuse: UInt32 = 0x0005_0000 | UInt32(EAFNOSUPPORT)
        try install([
            sock_filter(code: load, jt: 0, jf: 0, k: number),
            sock_filter(code: jumpIfEqual, jt: 0, jf: 3, k: UInt32(SYS_socket)),
            sock_filter(code: load, jt: 0, jf: 0, k: firstArgument),
            sock_filter(code: jumpIfEqual, jt: 0, jf: 1, k: UInt32(AF_INET6)),
            sock_filter(code: give, jt: 0, jf: 0, k: refuse),
            sock_filter(code: give, jt: 0, jf: 0, k: allow),
        ])
    }

    private static func install(_ program: [sock_filter]) throws(Errno) {
        var instructions = program
        let result = unsafe instructions.withUnsafeMutableBufferPointer { instructions -> CInt in
            var program = unsafe sock_fprog(len: UInt16(instructions.count), filter: instructions.baseAddress)
            return unsafe clinux_filter_system_calls(&program)
        }
        try Errno.check(result, "prctl")
    }
}
