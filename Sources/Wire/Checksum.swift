/// The Internet checksum (RFC 1071) while it is being added up.
///
/// Words are taken as they stand in memory: the sum's two bytes then stand as in memory too, on either endianness
/// (RFC 1071 §2 B), so a result is stored with `storeMemory` and nothing is swapped. Only the last piece added may
/// have an odd length.
public struct Checksum: Sendable {
    /// The words so far, carries not yet folded in: exact below 2³² words.
    public var sum: UInt64

    @inlinable public init(sum: UInt64 = 0) { self.sum = sum }

    /// Adds a word that was loaded from memory as it stands.
    @inlinable public mutating func add(_ word: UInt16) { sum &+= UInt64(word) }
    /// Adds two words at once, loaded as they stand.
    @inlinable public mutating func add(_ words: UInt32) { sum &+= UInt64(words) }
    /// Adds a number that has or will have network order in memory.
    @inlinable public mutating func add(network number: UInt16) { add(number.bigEndian) }
    @inlinable public mutating func add(network number: UInt32) { add(number.bigEndian) }

    /// Takes a word out again: the complement is its negative.
    @inlinable public mutating func subtract(_ word: UInt16) { add(~word) }
    @inlinable public mutating func subtract(_ words: UInt32) { add(~words) }

    /// Adds `count` bytes; an odd last one counts as followed by a 0.
    public mutating func add(_ bytes: UnsafeRawPointer, count: Int) {
        // Half-words of 64-bit loads in separate sums, so that no carry is lost and the loop becomes vector code.
        var low: UInt64 = 0
        var high: UInt64 = 0
        let longs = count >> 3
        for index in 0..<longs {
            let words = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: UInt64.self)
            low &+= words & 0xffff_ffff
            high &+= words >> 32
        }
        var offset = longs &* 8
        if count & 4 != 0 {
            low &+= UInt64(unsafe bytes.memoryLong(at: offset))
            offset &+= 4
        }
        if count & 2 != 0 {
            low &+= UInt64(unsafe bytes.memoryWord(at: offset))
            offset &+= 2
        }
        if count & 1 != 0 {
            low &+= UInt64(UInt16(littleEndian: UInt16(unsafe bytes.byte(at: offset))))
        }
        sum &+= low &+ high
    }

    /// The 16-bit sum, not complemented: what a checksum field holds while its completion is left to an offload.
    @inlinable public var folded: UInt16 {
        var sum = sum
        sum = (sum & 0xffff_ffff) &+ (sum >> 32)
        sum = (sum & 0xffff_ffff) &+ (sum >> 32)
        sum = (sum & 0xffff) &+ (sum >> 16)
        sum = (sum & 0xffff) &+ (sum >> 16)
        return UInt16(truncatingIfNeeded: (sum & 0xffff) &+ (sum >> 16))
    }

    /// The checksum, ready to be stored.
    @inlinable public var value: UInt16 { ~folded }

    /// The checksum for a transport header: 0 is written as 0xffff, its equal, because in UDP 0 means "none".
    @inlinable public var transportValue: UInt16 {
        let value = value
        return value == 0 ? 0xffff : value
    }

    /// True when what was added, its checksum field included, is intact.
    @inlinable public var isIntact: Bool { folded == 0xffff }
}

extension Checksum {
    /// The pseudo-header of RFC 9293 §3.1 and RFC 8200 §8.1, from the addresses in the IP header at `packet`;
    /// `length` counts transport header and payload.
    @inlinable public static func pseudoHeader(
        _ version: IPAddress.Family, at packet: UnsafeRawPointer, transport: UInt8, length: Int
    ) -> Checksum {
        var checksum = Checksum()
        switch version {
        case .v4:
            unsafe checksum.add(packet.memoryLong(at: IPv4Field.source))
            unsafe checksum.add(packet.memoryLong(at: IPv4Field.destination))
        case .v6:
            for offset in stride(from: IPv6Field.source, to: IPv6Field.length, by: 4) {
                unsafe checksum.add(packet.memoryLong(at: offset))
            }
        }
        checksum.add(network: UInt16(transport))
        checksum.add(network: UInt32(truncatingIfNeeded: length))
        return checksum
    }

    /// The checksum after one of the words under it has changed (RFC 1624 eqn. 3); all as they stand in memory.
    @inlinable public static func updated(_ checksum: UInt16, replacing old: UInt16, with new: UInt16) -> UInt16 {
        var sum = Checksum(sum: UInt64(~checksum))
        sum.subtract(old)
        sum.add(new)
        return sum.value
    }

    /// The same for two words that changed together: an IPv4 address, a sequence number.
    @inlinable public static func updated(_ checksum: UInt16, replacing old: UInt32, with new: UInt32) -> UInt16 {
        var sum = Checksum(sum: UInt64(~checksum))
        sum.subtract(old)
        sum.add(new)
        return sum.value
    }
}
