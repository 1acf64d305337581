/// What came out of a tunnel or a TUN device, taken for an IP packet only when its length holds up (P-4.8).
public enum InnerPacket {
    /// Why some bytes are no packet to be passed on.
    public enum Fault: Error, Hashable, Sendable {
        /// Fewer bytes than the header that they begin: 20 for IPv4, 40 for IPv6.
        case tooShort
        /// Neither version 4 nor version 6.
        case notIP
        /// The declared length is less than the header, or more than there is.
        case lyingLength
    }

    /// The packet's own length, at most `bytes.count`: what is behind it is padding, to be cut off.
    ///
    /// IPv6 adds 40 to a 16-bit field: payload lengths from 65,496 on do not wrap here (S-32).
    @inlinable public static func length(of bytes: UnsafeRawBufferPointer) -> Result<Int, Fault> {
        guard let start = bytes.baseAddress, bytes.count >= IPv4Field.length else { return .failure(.tooShort) }
        let declared: Int
        let least: Int
        switch unsafe start.byte(at: 0) >> 4 {
        case 4:
            declared = Int(unsafe start.networkWord(at: IPv4Field.totalLength))
            least = IPv4Field.length
        case 6:
            guard bytes.count >= IPv6Field.length else { return .failure(.tooShort) }
            declared = Int(unsafe start.networkWord(at: IPv6Field.payloadLength)) + IPv6Field.length
            least = IPv6Field.length
        default:
            return .failure(.notIP)
        }
        guard declared >= least, declared <= bytes.count else { return .failure(.lyingLength) }
        return .success(declared)
    }

    /// The same for bytes that may be written to.
    @inlinable public static func length(of bytes: UnsafeMutableRawBufferPointer) -> Result<Int, Fault> {
        unsafe length(of: UnsafeRawBufferPointer(bytes))
    }
}
