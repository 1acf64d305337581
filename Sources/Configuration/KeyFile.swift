package import Crypto
import Glibc
internal import Pipeline

/// Reads secret keys from where a router file says they are.
package struct KeyFile: Sendable {
    /// A key is 44 characters and a line break; this leaves room for blanks around it.
    static let maximumSize = 256

    /// Where a path that is not absolute begins.
    private let folder: String
    /// Where systemd puts the service's credentials; nil outside of a service.
    private let credentials: String?

    /// Keys of the router file at `path`; `credentials` is `$CREDENTIALS_DIRECTORY`.
    package init(configuration path: String, credentials: String?) {
        folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        self.credentials = credentials
    }

    package func privateKey(_ source: KeySource) throws(KeyProblem) -> PrivateKey {
        PrivateKey(clamping: try secret(source))
    }

    package func presharedKey(_ source: KeySource) throws(KeyProblem) -> PresharedKey {
        PresharedKey(try secret(source))
    }

    private func secret(_ source: KeySource) throws(KeyProblem) -> Secret {
        switch source {
        case .file(let path):
            return try secret(at: path.hasPrefix("/") ? path : folder + path, forbidden: 0o077)
        case .credential(let name):
            guard let credentials else { throw KeyProblem(.noCredentials, path: name) }
            // systemd lets the service in by an ACL, whose mask shows as the group's bits.
            return try secret(at: "\(credentials)/\(name)", forbidden: 0o007)
        }
    }

    /// The secret in the file at `path`, whose permissions must have none of the bits in `forbidden`.
    private func secret(at path: String, forbidden: mode_t) throws(KeyProblem) -> Secret {
        var text = WipedText(capacity: Self.maximumSize + 1)
        let mode: mode_t
        do throws(FileProblem) {
            let file = try OpenFile(path)
            mode = try file.mode()
            guard FileContents.isRegular(mode) else { throw FileProblem(.notAFile) }
            try text.fill(from: file)
        } catch {
            throw KeyProblem(.file(error.kind), path: path)
        }
        guard mode & forbidden == 0 else { throw KeyProblem(.exposed(mode: mode & 0o777), path: path) }
        guard text.count <= Self.maximumSize else { throw KeyProblem(.tooLarge, path: path) }
        guard let secret = text.key() else { throw KeyProblem(.malformed, path: path) }
        guard !secret.isZero else { throw KeyProblem(.zero, path: path) }
        return secret
    }
}

/// Why a key cannot be had. Says where it was looked for and nothing of what was found there.
package struct KeyProblem: Error, Equatable {
    package enum Kind: Equatable, Sendable {
        case file(FileProblem.Kind)
        /// Others than its owner may read or write it.
        case exposed(mode: UInt32)
        case tooLarge
        case malformed
        /// All zeros, which is how WireGuard writes "none".
        case zero
        /// A credential is asked for, and there is no folder of credentials.
        case noCredentials
    }

    package let kind: Kind
    package let path: String

    init(_ kind: Kind, path: String) {
        self.kind = kind
        self.path = path
    }

    /// True when the key may be good and only this process cannot see it: for `check` without privileges.
    package var isForPrivileges: Bool { kind == .file(.noPermission) || kind == .noCredentials }

    package var message: String {
        let name = Quotation.quote(path, limit: KeySource.maximumPathLength)
        return switch kind {
        case .file(let kind): "cannot read the key \(name): \(FileProblem(kind).message)"
        case .exposed(let mode):
            "others than its owner may use the key \(name) (mode 0\(String(mode, radix: 8))): chmod 600 \(name)"
        case .tooLarge: "\(name) is too large for a key, which is 44 characters of base64"
        case .malformed: "\(name) holds no key: that is 44 characters of base64, as wg genkey writes them"
        case .zero: "the key in \(name) is all zeros, which is none"
        case .noCredentials: "there is no credential \(name): CREDENTIALS_DIRECTORY is not set"
        }
    }
}
