import Glibc
import Linux
import Testing

@testable import Nftables

/// The program nft, as the judge of what we have put into the kernel.
enum Nft {
    static let isThere = unsafe access("/usr/sbin/nft", X_OK) == 0
    static let need: Comment = "needs nft (nftables)"

    /// What nft says in the calling thread's network namespace; it has to succeed.
    static func run(_ arguments: String, input: String = "", sourceLocation: SourceLocation = #_sourceLocation) throws
        -> String
    {
        let (status, output) = try attempt(arguments, input: input)
        #expect(status == 0, "nft \(arguments): \(output)\n\(input)", sourceLocation: sourceLocation)
        return output
    }

    static func attempt(_ arguments: String, input: String = "") throws -> (status: CInt, output: String) {
        var path = Array("/tmp/nftables-test-XXXXXX".utf8CString)
        let file = try FileDescriptor(unsafe mkstemp(&path), "mkstemp")
        defer { unsafe unlink(path) }
        let written = try unsafe Array(input.utf8).withUnsafeBytes { try unsafe file.write($0) }
        #expect(written == input.utf8.count)
        let name = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let stream = unsafe popen("exec /usr/sbin/nft \(arguments) < \(name) 2>&1", "r") else {
            throw Errno.last("popen")
        }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = unsafe fread(&chunk, 1, chunk.count, stream), count > 0 { output += chunk[..<count] }
        return (unsafe pclose(stream), String(decoding: output, as: UTF8.self))
    }

    /// A table as nft lists it, without what counters have counted, and with its name left out.
    static func listing(_ table: String) throws -> [String] {
        try run("-y list table inet \(table)").split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("\t\tpackets ") && !$0.hasPrefix("table ") }
    }
}
