import Glibc

/// Socket options whose value is an int.
package enum SocketOption {
    /// `setsockopt(2)`; `name` is what an error calls it.
    package static func set(
        _ socket: CInt, _ level: CInt, _ option: CInt, _ value: CInt, _ name: String
    ) throws(Errno) {
        var value = value
        let size = socklen_t(MemoryLayout<CInt>.size)
        try Errno.check(unsafe setsockopt(socket, level, option, &value, size), name)
    }

    /// `getsockopt(2)`.
    package static func get(_ socket: CInt, _ level: CInt, _ option: CInt, _ name: String) throws(Errno) -> CInt {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        try Errno.check(unsafe getsockopt(socket, level, option, &value, &size), name)
        return value
    }
}
