import Wire

extension Tunnel {
    /// Takes a UDP datagram off the wire; what comes of it is among the outputs.
    ///
    /// Anything may be in it: what is not an authentic message of a peer changes nothing, and is counted.
    ///
    /// - Parameters:
    ///   - datagram: the UDP payload.
    ///   - endpoint: where it came from. If it is authentic, the peer is answered there from now on.
    ///   - now: this moment.
    /// - Returns: why it was not taken; nil when it was.
    @discardableResult
    public func receive(_ datagram: Span<UInt8>, from endpoint: Endpoint, at now: Instant) -> Drop? {
        _ = move(to: now)
        let path = Path(remote: endpoint.endpoint)
        let drop = unsafe datagram.withUnsafeBytes { unsafe take($0, path) }
        if let drop { count(drop) }
        settle()
        return drop
    }

    /// Takes a UDP datagram off the wire: the same for an array.
    @discardableResult
    public func receive(_ datagram: [UInt8], from endpoint: Endpoint, at now: Instant) -> Drop? {
        receive(datagram.span, from: endpoint, at: now)
    }

    // MARK: The parts

    private func take(_ datagram: UnsafeRawBufferPointer, _ path: Path) -> Drop? {
        guard let message = datagram.baseAddress, datagram.count <= TunnelScratch.capacity,
            let type = unsafe MessageType(at: message, count: datagram.count)
        else { return .notWireGuard }
        guard type != .data else { return unsafe open(datagram, path) }
        return unsafe engine.receive(message, type, from: path, now).map { Drop($0) }
    }

    private func open(_ datagram: UnsafeRawBufferPointer, _ path: Path) -> Drop? {
        guard !outputsAreFull else { return .outputsNotTaken }
        unsafe scratch.load(datagram)
        let receiver = unsafe DataMessage.receiverIndex(at: scratch.source, type: .data)
        guard let keypair = engine.keypair(receiver) else { return .unknownReceiver }
        if let rejection = unsafe keypair.open(scratch.source, datagram.count, to: scratch.destination, now) {
            return Drop(rejection)
        }
        let count = datagram.count - DataMessage.overhead
        engine.received(on: keypair, from: path, bytes: datagram.count, packets: count > 0 ? 1 : 0, now)
        guard count > 0 else { return nil }
        switch unsafe InnerPacket.length(of: UnsafeRawBufferPointer(start: scratch.destination, count: count)) {
        case .success(let length):
            outputs.append(.deliver(scratch.result(length), from: directory[keypair.peer]))
            statistics.packetsOpened += 1
            return nil
        case .failure(let fault): return Drop(fault)
        }
    }
}
