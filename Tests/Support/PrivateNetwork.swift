import Glibc
import Linux

/// A network namespace for the length of one test, on a thread of its own: nothing outside sees its links, addresses
/// and sockets, and they are gone with the thread.
package enum PrivateNetwork {
    /// Whether this process may make one (CAP_SYS_ADMIN). Tests that need one say so with
    /// `.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)")`.
    package static let isPossible: Bool = {
        do {
            try run(up: false) {}
            return true
        } catch {
            return false
        }
    }()

    package static let need: String = "needs root, for a network namespace of its own"

    /// Runs `body` in a new one, its loopback up unless told otherwise, and gives what it returns or throws.
    package static func run<Result>(
        up: Bool = true, _ body: @escaping () throws -> Result
    ) throws -> Result {
        let job = Job(body)
        let thread = try Thread(name: "network") {
            job.run { body throws in
                try NetworkNamespace.unshare()
                if up {
                    var netlink = try RouteNetlink()
                    try netlink.setUp(true, link: netlink.index(of: "lo"))
                }
                return try body()
            }
        }
        thread.join()
        return try job.result()
    }

    /// Handed to the thread and, once that has ended, back.
    private final class Job<Result>: @unchecked Sendable {
        private let body: () throws -> Result
        private var outcome: Swift.Result<Result, any Error>?

        init(_ body: @escaping () throws -> Result) { self.body = body }

        func run(_ around: (() throws -> Result) throws -> Result) {
            outcome = Swift.Result { try around(body) }
        }

        func result() throws -> Result {
            guard let outcome else { throw Errno(ECANCELED) }
            return try outcome.get()
        }
    }
}
