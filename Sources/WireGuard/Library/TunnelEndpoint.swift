import Wire

extension Tunnel {
    /// A UDP address: where a peer's datagrams come from and go to.
    ///
    /// It is compared as it stands. A socket for both families that reports IPv4 peers as `::ffff:192.0.2.1` gets them
    /// back in that form.
    public struct Endpoint: Hashable, Sendable {
        let endpoint: Wire.Endpoint

        init(_ endpoint: Wire.Endpoint) { self.endpoint = endpoint }

        /// `192.0.2.1:51820`, `[2001:db8::1]:51820` or, with a scope as a number, `[fe80::1%3]:51820`; nil for anything
        /// else, names included.
        public init?(_ text: some StringProtocol) {
            guard let endpoint = Wire.Endpoint(text) else { return nil }
            self.endpoint = endpoint
        }

        /// An address of 4 (IPv4) or 16 (IPv6) bytes in network order; nil for another number of bytes.
        ///
        /// `scope` is the interface index that a link-local address needs, else 0.
        public init?(address: Span<UInt8>, port: UInt16, scope: UInt32 = 0) {
            let parsed = unsafe address.withUnsafeBytes { bytes -> IPAddress? in
                switch (bytes.count, bytes.baseAddress) {
                case (4, .some(let start)): unsafe IPAddress(v4At: start)
                case (16, .some(let start)): unsafe IPAddress(v6At: start)
                default: nil
                }
            }
            guard let parsed else { return nil }
            endpoint = Wire.Endpoint(address: parsed, port: port, scope: scope)
        }

        /// The address in network order: 4 bytes (IPv4) or 16 (IPv6).
        public var address: [UInt8] {
            let count = endpoint.address.family.byteCount
            return unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
                unsafe endpoint.address.store(to: UnsafeMutableRawPointer(bytes.baseAddress.unsafelyUnwrapped))
                filled = count
            }
        }

        /// The UDP port, in host order.
        public var port: UInt16 { endpoint.port }

        /// The interface index of a link-local IPv6 address; 0 where there is none.
        public var scope: UInt32 { endpoint.scope }
    }
}

extension Tunnel.Endpoint: LosslessStringConvertible {
    /// The form that the initializer reads.
    public var description: String { endpoint.description }
}
