import ArgumentParser
import Crypto
import Glibc
import Linux

struct GenKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "genkey", abstract: "Print a new private key.",
        discussion: """
            Example:
              (umask 077; fullbore genkey > wg0.key)
            """)

    func run() {
        KeyOutput.warnIfExposed()
        PrivateKey.generate().withText(.base64) { unsafe KeyOutput.print($0) }
    }
}

struct GenPSK: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "genpsk", abstract: "Print a new preshared key.",
        discussion: """
            Example:
              (umask 077; fullbore genpsk > berlin.psk)
            """)

    func run() {
        KeyOutput.warnIfExposed()
        PresharedKey.generate().withText(.base64) { unsafe KeyOutput.print($0) }
    }
}

struct PubKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pubkey", abstract: "Read a private key and print the public key that belongs to it.",
        discussion: """
            Example:
              fullbore pubkey < wg0.key
            """)

    func run() throws {
        guard let line = readLine(strippingNewline: true),
            let key = PrivateKey(.base64, line.filter { !$0.isWhitespace })
        else {
            complain("fullbore: this is not a private key: that is 44 characters of base64")
            throw ExitCode.failure
        }
        say(key.publicKey.base64)
    }
}

/// How a secret leaves the program: without a copy in a string.
private enum KeyOutput {
    static func print(_ text: UnsafeRawBufferPointer) {
        // Half a key on a full disk must not look like success.
        guard unsafe write(STDOUT_FILENO, text.baseAddress, text.count) == text.count,
            unsafe write(STDOUT_FILENO, "\n", 1) == 1
        else {
            complain("fullbore: cannot write the key: \(Errno.last("write").text)")
            exit(EXIT_FAILURE)
        }
    }

    /// A key written to a file that others can read is not a secret.
    static func warnIfExposed() {
        var status = stat()
        guard unsafe fstat(STDOUT_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_mode & 0o077 != 0
        else { return }
        complain("fullbore: warning: others may read the file this is written to; use umask 077")
    }
}
