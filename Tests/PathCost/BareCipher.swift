import Crypto
import Pipeline

/// A cipher by itself, over buffers as the packet path has them.
struct BareCipher: ~Copyable {
    private let aead: AEAD
    private let plaintext = Buffer(.small)
    private let sealed = Buffer(.small)
    private let opened = Buffer(.small)
    private let key = Buffer(.small)

    init(_ aead: AEAD) { self.aead = aead }

    func seal(_ bytes: Int, counter: UInt64) {
        unsafe aead.seal(key.start, counter, sealed.start, plaintext.start, bytes)
    }

    /// What `seal` was called with last.
    func open(_ bytes: Int, counter: UInt64) -> Bool {
        unsafe aead.open(key.start, counter, opened.start, sealed.start, bytes)
    }
}

extension AEAD {
    /// Copies, and takes everything for authentic: what is left is what the protocol takes.
    static let null = unsafe AEAD(
        name: "null",
        seal: { _, _, destination, source, count in
            unsafe destination.copyMemory(from: source, byteCount: count)
            unsafe (destination + count).storeBytes(of: SIMD16<UInt8>(), as: SIMD16<UInt8>.self)
        },
        open: { _, _, destination, source, count in
            unsafe destination.copyMemory(from: source, byteCount: count)
            return true
        })

    /// Those that work on this machine.
    static let here: [AEAD] = {
        if case .success(let ipsecMB) = IPSecMB.backend { [.null, .libsodium, ipsecMB] } else { [.null, .libsodium] }
    }()

    static func named(_ name: String) -> AEAD? { here.first { $0.name == name } }
}
