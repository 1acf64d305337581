/// What the kernel has answered to a netlink request that it did not carry out.
package struct NetlinkError: Error, Hashable, Sendable {
    package let errno: Errno
    /// The kernel's own words, where it has any (extended acknowledgement).
    package let message: String

    package init(_ errno: Errno, message: String = "") {
        self.errno = errno
        self.message = message
    }
}

extension NetlinkError: CustomStringConvertible {
    package var description: String { message.isEmpty ? errno.text : "\(errno.text) (\(message))" }
}
