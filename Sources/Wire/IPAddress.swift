#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An IPv4 or IPv6 address, without a zone.
///
/// Held as one 128-bit number in host order, so that masking and comparing are integer operations: an IPv4 address
/// is the low 32 bits of `low`, and `high` is then 0.
public struct IPAddress: Hashable, Sendable {
    public enum Family: UInt8, Sendable, BitwiseCopyable {
        case v4 = 4
        case v6 = 6

        /// Bits in an address of this family: 32 or 128.
        @inlinable public var bitWidth: Int { self == .v4 ? 32 : 128 }
        /// Bytes in an address of this family: 4 or 16.
        @inlinable public var byteCount: Int { self == .v4 ? 4 : 16 }
    }

    public let family: Family
    public let high: UInt64
    public let low: UInt64

    /// The IPv4 address whose network-order bytes read as `bits`: 0x7f000001 is 127.0.0.1.
    @inlinable public init(v4 bits: UInt32) {
        family = .v4
        high = 0
        low = UInt64(bits)
    }

    @inlinable public init(v6High high: UInt64, low: UInt64) {
        family = .v6
        self.high = high
        self.low = low
    }

    @inlinable public var v4Bits: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// The textual forms of RFC 4291 §2.2 and dotted quads; nil for anything else, a zone (`%eth0`) included.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        var v4 = in_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4.s_addr))
            return
        }
        var v6 = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        self = unsafe withUnsafeBytes(of: &v6) { unsafe IPAddress(v6At: $0.baseAddress.unsafelyUnwrapped) }
    }

    /// The address in the four network-order bytes at `bytes`.
    @inlinable public init(v4At bytes: UnsafeRawPointer) {
        self.init(v4: UInt32(bigEndian: unsafe bytes.loadUnaligned(as: UInt32.self)))
    }

    /// The address in the 16 network-order bytes at `bytes`.
    @inlinable public init(v6At bytes: UnsafeRawPointer) {
        self.init(
            v6High: UInt64(bigEndian: unsafe bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    /// Writes the address in network order: 4 or 16 bytes.
    @inlinable public func store(to bytes: UnsafeMutableRawPointer) {
        switch family {
        case .v4:
            unsafe bytes.storeBytes(of: v4Bits.bigEndian, as: UInt32.self)
        case .v6:
            unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }

    /// Bit `index` counted from the most significant (0) to `family.bitWidth - 1`.
    @inlinable public func bit(_ index: Int) -> Bool {
        switch family {
        case .v4: (low >> UInt64(31 - index)) & 1 == 1
        case .v6: index < 64 ? (high >> UInt64(63 - index)) & 1 == 1 : (low >> UInt64(127 - index)) & 1 == 1
        }
    }

    /// The address with all but its first `length` bits cleared.
    @inlinable public func masked(to length: Int) -> IPAddress {
        switch family {
        case .v4:
            IPAddress(v4: length == 0 ? 0 : v4Bits & (UInt32.max << UInt32(32 - length)))
        case .v6:
            IPAddress(
                v6High: length == 0 ? 0 : length >= 64 ? high : high & (UInt64.max << UInt64(64 - length)),
                low: length <= 64 ? 0 : low & (UInt64.max << UInt64(128 - length)))
        }
    }

    /// fe80::/10 (RFC 4291 §2.5.6): meaningful only with a scope.
    @inlinable public var isLinkLocal: Bool { family == .v6 && high >> 54 == 0xfe80 >> 6 }
    @inlinable public var isUnspecified: Bool { high == 0 && low == 0 }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted quad, or RFC 5952 text.
    public var description: String {
        switch family {
        case .v4:
            return "\(low >> 24 & 0xff).\(low >> 16 & 0xff).\(low >> 8 & 0xff).\(low & 0xff)"
        case .v6:
            var bytes = in6_addr()
            unsafe withUnsafeMutableBytes(of: &bytes) { unsafe store(to: $0.baseAddress.unsafelyUnwrapped) }
            return unsafe String(unsafeUninitializedCapacity: Int(INET6_ADDRSTRLEN)) { text in
                unsafe text.withMemoryRebound(to: CChar.self) { text in
                    let end = unsafe inet_ntop(AF_INET6, &bytes, text.baseAddress, socklen_t(INET6_ADDRSTRLEN))
                    return unsafe end == nil ? 0 : strlen(text.baseAddress.unsafelyUnwrapped)
                }
            }
        }
    }
}
