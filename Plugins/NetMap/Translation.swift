import Pipeline
import Wire

/// A peer's mappings as its packets need them.
///
/// Outbound the destination is the peer's, inbound the source. An error goes the other way than the packet that it quotes:
/// of that one outbound the source is the peer's, inbound the destination.
struct Translation {
    enum Outcome: Equatable {
        /// An address was replaced; with `quote` one in the packet that an error quotes.
        case translated(quote: Bool)
        /// Nothing in it is in a mapping.
        case unmapped
        /// The peer's address is one that the mappings put out of use on this side of the tunnel.
        case bypass
        /// A checksum would have to change that is not within the packet.
        case incomplete
    }

    private let toTheirs, toOurs: ContiguousArray<PrefixReplacement>

    init(_ mappings: [Mapping]) {
        toTheirs = ContiguousArray(mappings.map { PrefixReplacement(of: $0.ours.value, by: $0.theirs.value) })
        toOurs = ContiguousArray(mappings.map { PrefixReplacement(of: $0.theirs.value, by: $0.ours.value) })
    }

    /// Translates a packet in place; it is unchanged unless the outcome says so.
    func apply(_ direction: Direction, to bytes: UnsafeMutableRawBufferPointer, owing offload: Offload) -> Outcome {
        guard let packet = unsafe AddressedPacket(bytes) else { return .unmapped }
        let address = packet.address(direction.ofPeer)
        let owed = offload.needsChecksum ? Int(offload.checksumStart) + Int(offload.checksumOffset) : nil
        guard let outer = replacement(of: address, direction) else {
            guard replacement(of: address, direction.reversed) == nil else { return .bypass }
            let hasQuote = packet.isICMP && translateQuote(in: packet, direction, owed: owed)
            return hasQuote ? .translated(quote: true) : .unmapped
        }
        let checksum = packet.checksum(counting: direction.ofPeer)
        guard checksum != .missing else { return .incomplete }
        let hasQuote = packet.isICMP && translateQuote(in: packet, direction, owed: owed)
        var unused = Checksum()
        packet.replace(direction.ofPeer, outer, checksum, owed: owed, &unused)
        return .translated(quote: hasQuote)
    }

    /// True when the packet is an error about one whose peer's address is in a mapping.
    private func translateQuote(in packet: AddressedPacket, _ direction: Direction, owed: Int?) -> Bool {
        guard let error = packet.errorOffset, let quote = packet.quote(error),
            let inner = replacement(of: quote.address(direction.ofPeerInQuote), direction)
        else { return false }
        var change = Checksum()
        quote.replace(
            direction.ofPeerInQuote, inner, quote.checksum(counting: direction.ofPeerInQuote), owed: nil, &change)
        let checksum = error + ICMPField.checksum
        // What an offload is to complete will be summed as it then stands.
        guard checksum != owed else { return true }
        var unused = Checksum()
        packet.mend(checksum, by: change, &unused)
        return true
    }

    /// Gives the beginning of a packet that was translated on its way out the destination that it had. Theirs do not overlap, so
    /// there is one that it can have been.
    func restore(_ beginning: UnsafeMutableRawBufferPointer) {
        guard let packet = unsafe AddressedPacket(beginning),
            let replacement = replacement(of: packet.address(.destination), .inbound)
        else { return }
        var unused = Checksum()
        packet.replace(
            .destination, replacement, packet.checksum(counting: .destination), owed: nil, &unused)
    }

    private func replacement(of address: IPAddress, _ direction: Direction) -> PrefixReplacement? {
        switch direction {
        case .outbound: Self.replacement(of: address, toTheirs)
        case .inbound: Self.replacement(of: address, toOurs)
        }
    }

    // By index: an iterator would hold the array, and count that for each packet.
    private static func replacement(
        of address: IPAddress, _ replacements: ContiguousArray<PrefixReplacement>
    ) -> PrefixReplacement? {
        for index in replacements.indices where replacements[index].concerns(address) { return replacements[index] }
        return nil
    }
}

extension Direction {
    fileprivate var reversed: Direction { self == .outbound ? .inbound : .outbound }

    /// Which of a packet's addresses is the peer's.
    fileprivate var ofPeer: AddressField { self == .outbound ? .destination : .source }
    fileprivate var ofPeerInQuote: AddressField { self == .outbound ? .source : .destination }
}
