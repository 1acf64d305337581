import Crypto
import Locking
import Wire

/// What a handshake message with a good mac1 has to pass before anything costly is done for it (§5.3, P-3.2…P-3.13).
///
/// Under load a mac2, which shows a cookie that we have sent to the sender's address; and then a place in that
/// address's bucket. Shared by the threads that compute a router's handshakes.
package final class HandshakeGate: Sendable {
    package enum Judgement: Sendable {
        case admit
        case reject(Rejection)
        /// Under load and without a cookie: send this one, to where the message came from, and do nothing else.
        case reply(Outgoing)
    }

    private struct State: ~Copyable {
        var secret: CookieSecret
        var limiter = SourceLimiter()
        /// Until when load is taken to last; nil when there was none.
        var loadEnds: Instant?
    }

    private let state: Guarded<State>
    private let entropy: Entropy

    package init(_ entropy: Entropy, now: Instant) {
        self.entropy = entropy
        state = Guarded(State(secret: CookieSecret(entropy, now)))
    }

    /// Judges an initiation or response that came by `path`, with `waiting` messages behind it. `Engine.refusal` has let it
    /// through.
    package func judge(
        _ message: UnsafeRawPointer, _ type: MessageType, from path: Path, _ identity: Identity, waiting: Int,
        _ now: Instant
    ) -> Judgement {
        let source = path.remote
        var cookie = SIMD16<UInt8>()
        let rejection = state.withLock { state -> Rejection? in
            if waiting >= Limits.handshakeLoad { state.loadEnds = now + Protocol.underLoadAfter }
            guard let end = state.loadEnds, now < end else { return nil }
            guard unsafe state.secret.verifiesMAC2(of: message, type, from: source, now) else {
                unsafe withUnsafeMutableBytes(of: &cookie) {
                    unsafe state.secret.cookie(of: source, into: $0.baseAddress.unsafelyUnwrapped, now)
                }
                return .cookieDue
            }
            return state.limiter.admits(source.address, now) ? nil : .sourceTooBusy
        }
        switch rejection {
        case nil: return .admit
        case .cookieDue: return .reply(unsafe Outgoing(cookieReplyTo: message, type, cookie, path, identity, entropy))
        case .some(let rejection): return .reject(rejection)
        }
    }
}

extension Outgoing {
    /// A message of type 3 for a stranger: a cookie that only the sender of `message` can read (P-3.6). It leaves from where
    /// that one came in, and is nobody's traffic (P-3.13).
    fileprivate init(
        cookieReplyTo message: UnsafeRawPointer, _ type: MessageType, _ cookie: SIMD16<UInt8>, _ path: Path,
        _ identity: Identity, _ entropy: Entropy
    ) {
        self.init(peer: .none, path: path, count: CookieReply.size)
        let mac1 = unsafe message + (type == .initiation ? Initiation.mac1 : Response.mac1)
        unsafe withBytes { bytes in
            unsafe store(MessageType.cookieReply.rawValue, bytes, 0)
            // The sender's index stands at the same place in both.
            unsafe store(littleEndian32(message, Initiation.sender), bytes, CookieReply.receiver)
            unsafe entropy.fill(bytes + CookieReply.nonce, XChaCha20Poly1305.nonceSize)
            unsafe withUnsafeBytes(of: cookie) { cookie in
                unsafe identity.cookieKey.withBytes { key in
                    unsafe XChaCha20Poly1305.seal(
                        key: key.baseAddress.unsafelyUnwrapped, nonce: bytes + CookieReply.nonce, cookie,
                        additionalData: UnsafeRawBufferPointer(start: mac1, count: MACKey.size),
                        into: bytes + CookieReply.encryptedCookie)
                }
            }
        }
    }
}
