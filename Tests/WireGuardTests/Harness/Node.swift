import Crypto
import Support
import Wire

@testable import WireGuard

/// One end: an engine, with as little around it as it takes to be a WireGuard device. What comes out of the tunnel is
/// kept, what goes on the wire is handed to the link.
final class Node {
    struct Delivery: Equatable {
        var at: Instant
        var peer: PeerID
        var bytes: [UInt8]
    }

    struct Note: Equatable {
        var at: Instant
        var peer: PeerID
        var event: PeerEvent
    }

    let engine: Engine
    /// Where its socket is; a test that changes it makes the node roam.
    var endpoint: Endpoint
    var mtu = 1420

    private(set) var delivered: [Delivery] = []
    private(set) var keepalivesReceived = 0
    private(set) var rejections: [Rejection: Int] = [:]
    private(set) var notes: [Note] = []
    private(set) var purged = 0
    private(set) var displaced = 0
    /// What the wire has not taken yet.
    private(set) var output: [Datagram] = []

    private final class Staged { var queue = StagedQueue<[UInt8]>() }
    private var staged: [PeerID: Staged] = [:]
    private let scratch = Scratch()

    init(_ engine: Engine, at endpoint: Endpoint) {
        self.engine = engine
        self.endpoint = endpoint
    }

    func stagedCount(_ peer: PeerID) -> Int { staged[peer]?.queue.count ?? 0 }

    /// What came out of the tunnel since the last call; what else was noted is given up.
    func takeDelivered() -> [Delivery] {
        defer { (delivered, notes) = ([], []) }
        return delivered
    }

    func takeOutput() -> [Datagram] {
        defer { output = [] }
        return output
    }

    // MARK: What happens to it

    /// A packet for the tunnel: sealed, or staged while there is no session.
    func send(_ plaintext: [UInt8], to peer: PeerID, _ now: Instant) {
        if !seal(plaintext, to: peer, now) { stage(plaintext, for: peer) }
        settle(now)
    }

    /// A datagram from the wire, in the order of checks that every caller of the engine keeps.
    @discardableResult
    func receive(_ datagram: Datagram, _ now: Instant) -> Rejection? {
        let local = LocalAddress(address: datagram.destination.address, interface: 1)
        let path = Path(remote: datagram.source, local: local)
        let rejection = unsafe scratch.withMessage(datagram.bytes) { message in
            unsafe receive(message, datagram.bytes.count, path, now)
        }
        if let rejection { rejections[rejection, default: 0] += 1 }
        settle(now)
        return rejection
    }

    func expire(_ now: Instant) {
        engine.expire(now)
        settle(now)
    }

    // MARK: The parts

    private func receive(_ message: UnsafeMutableRawPointer, _ count: Int, _ path: Path, _ now: Instant) -> Rejection? {
        guard let type = unsafe MessageType(at: message, count: count) else { return .notWireGuard }
        guard type == .data else { return unsafe engine.receive(message, type, from: path, now) }
        return unsafe open(message, count, path, now)
    }

    private func open(_ message: UnsafeMutableRawPointer, _ count: Int, _ path: Path, _ now: Instant) -> Rejection? {
        let index = unsafe DataMessage.receiverIndex(at: message, type: .data)
        guard let keypair = engine.keypair(index) else { return .unknownReceiver }
        let plain = unsafe scratch.other
        if let rejection = unsafe keypair.open(message, count, to: plain, now) { return rejection }
        let length = count - DataMessage.overhead
        engine.received(on: keypair, from: path, bytes: count, packets: length > 0 ? 1 : 0, now)
        if length > 0 {
            let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: plain, count: length))
            delivered.append(Delivery(at: now, peer: keypair.peer, bytes: bytes))
        } else {
            keepalivesReceived += 1
        }
        return nil
    }

    private func seal(_ plaintext: [UInt8], to peer: PeerID, _ now: Instant) -> Bool {
        guard let peer = engine.peer(peer), let path = peer.path else { return false }
        guard let session = peer.session, let counter = session.takeCounters(1, now) else {
            engine.wantSession(peer, now)
            return false
        }
        let padded = paddedLength(plaintext.count, mtu: mtu)
        let source = plaintext + [UInt8](repeating: 0, count: padded - plaintext.count)
        let bytes = unsafe scratch.withMessage(source) { plain in
            unsafe session.seal(counter, plain, padded, to: scratch.other)
            return unsafe [UInt8](UnsafeRawBufferPointer(start: scratch.other, count: padded + DataMessage.overhead))
        }
        transmit(bytes, path)
        engine.sent(peer, bytes: bytes.count, now)
        return true
    }

    private func stage(_ plaintext: [UInt8], for peer: PeerID) {
        let staged = staged[peer] ?? Staged()
        self.staged[peer] = staged
        if staged.queue.append(plaintext) != nil { displaced += 1 }
    }

    private func transmit(_ bytes: [UInt8], _ path: Path) {
        var source = endpoint
        if let local = path.local { source.address = local.address }
        output.append(Datagram(bytes: bytes, source: source, destination: path.remote))
    }

    /// Does what the engine wants done.
    func settle(_ now: Instant) {
        while !engine.outbox.isEmpty {
            for action in engine.outbox.take() { perform(action, now) }
        }
    }

    private func perform(_ action: Outbox.Action, _ now: Instant) {
        switch action {
        case .send(let message):
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: message.count) { buffer, count in
                guard let start = buffer.baseAddress else { return }
                unsafe message.copy(to: UnsafeMutableRawPointer(start))
                count = message.count
            }
            transmit(bytes, message.path)
        case .compute(let task): engine.finish(task.run(), now)
        case .release(let peer, let orConfirm):
            var sealed = false
            while let packet = staged[peer]?.queue.popFirst() { sealed = seal(packet, to: peer, now) || sealed }
            if !sealed, orConfirm { engine.sendKeepalive(to: peer, now) }
        case .purge(let peer):
            while staged[peer]?.queue.popFirst() != nil { purged += 1 }
        case .note(let peer, let event):
            notes.append(Note(at: now, peer: peer, event: event))
        }
    }
}

/// Two pieces of memory with the room around them that the AEAD asks for.
@safe private final class Scratch {
    private static let size = AEAD.headroom + 66_000 + AEAD.slack
    private let memory: UnsafeMutableRawPointer

    init() {
        unsafe memory = .allocate(byteCount: 2 * Self.size, alignment: 64)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: 2 * Self.size)
    }

    deinit { unsafe memory.deallocate() }

    var other: UnsafeMutableRawPointer { unsafe memory + Self.size + AEAD.headroom }

    func withMessage<Result>(_ bytes: [UInt8], _ body: (UnsafeMutableRawPointer) -> Result) -> Result {
        let start = unsafe memory + AEAD.headroom
        unsafe bytes.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress { unsafe start.copyMemory(from: source, byteCount: bytes.count) }
        }
        return unsafe body(start)
    }
}
