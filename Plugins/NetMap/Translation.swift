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
        let outer = replacement(of: address, direction)
        if outer != nil, packet.checksum(counting: direction.ofPeer) == .missing { return .incomplete }
        if outer == nil, replacement(of: address, direction == .outbound ? .inbound : .outbound) != nil {
            return .bypass
        }
        let owed = offload.needsChecksum ? Int(offload.checksumStart) + Int(offload.checksumOffset) : nil
        let hasQuote = translateQuote(in: packet, direction, owed: owed)
        guard let outer else { return hasQuote ? .translated(quote: true) : .unmapped }
        var change = Checksum()
        packet.replace(direction.ofPeer, outer, owed: owed, &change)
        return .translated(quote: hasQuote)
    }

    /// True when the packet is an error about one whose peer's address is in a mapping.
    private func translateQuote(in packet: AddressedPacket, _ direction: Direction, owed: Int?) -> Bool {
        guard let error = packet.errorOffset, let quote = packet.quote(error),
            let inner = replacement(of: quote.address(direction.ofPeerInQuote), direction)
        else { return false }
        var change = Checksum()
        quote.replace(direction.ofPeerInQuote, inner, owed: nil, &change)
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
        packet.replace(.destination, replacement, owed: nil, &unused)
    }

    private func replacement(of address: IPAddress, _ direction: Direction) -> PrefixReplacement? {
        for replacement in direction == .outbound ? toTheirs : toOurs where replacement.concerns(address) {
            return replacement
        }
        return nil
    }
}

extension Direction {
    /// Which of a packet's addresses is the peer's.
    fileprivate var ofPeer: AddressField { self == .outbound ? .destination : .source }
    fileprivate var ofPeerInQuote: AddressField { self == .outbound ? .source : .destination }
}
