import Glibc

/// What a system call says has gone wrong: the kernel's number, and the call's name for whoever reads the message.
///
/// Two are equal when their numbers are: the name is for people.
package struct Errno: Error {
    package let rawValue: CInt
    /// The call that failed, `bind` say; empty where the number alone is meant.
    package let call: String

    package init(_ rawValue: CInt, call: String = "") {
        self.rawValue = rawValue
        self.call = call
    }

    /// The number that the call just made on this thread has left.
    package static func last(_ call: String) -> Errno { Errno(errno, call: call) }

    /// The result of a call that says -1 for failure.
    @discardableResult
    package static func check<Result: SignedInteger>(_ result: Result, _ call: String) throws(Errno) -> Result {
        guard result != -1 else { throw Errno.last(call) }
        return result
    }
}

extension Errno: Hashable {
    package static func == (a: Errno, b: Errno) -> Bool { a.rawValue == b.rawValue }
    package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

extension Errno: CustomStringConvertible {
    /// The kernel's words for the number: `Address already in use`.
    package var text: String {
        unsafe String(unsafeUninitializedCapacity: 128) { text in
            unsafe text.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress, unsafe strerror_r(rawValue, start, text.count) == 0 else {
                    return 0
                }
                return unsafe strlen(start)
            }
        }
    }

    package var description: String { call.isEmpty ? text : "\(call): \(text)" }
}
