import CNftables
import Linux

/// Messages that the kernel carries out as one, or not at all, and what each of them stands for. Built once, it is sent as often
/// as it takes, each time against the generation of then.
@safe struct Batch: ~Copyable {
    /// Room that every message finds: more than any of ours can take, each of whose parts is bounded.
    static let messageLimit = 64 << 10
    /// Some ten times what 20,000 rules take.
    static let sizeLimit = 64 << 20

    private var memory: UnsafeMutableRawPointer
    private var capacity = 1 << 20
    private(set) var count = 0
    private let first: UInt32
    private(set) var origins: [NftablesError.Origin] = []
    /// Where the generation stands in `memory`.
    private var generationOffset = 0
    /// Where the last message begins: once the batch is finished, the one that ends it.
    private var lastStart = 0

    /// Messages are numbered from `first` on.
    init(first: UInt32) throws(NftablesError) {
        unsafe memory = .allocate(byteCount: capacity, alignment: 8)
        self.first = first
        try unsafe append(.transaction) { buffer, sequence in
            let message = unsafe nftnl_batch_begin(buffer, sequence)
            guard let message = unsafe message else { return nil }
            unsafe mnl_attr_put_u32(message, UInt16(NFNL_BATCH_GENID.rawValue), 0)
            return unsafe message
        }
        // The value of the last attribute so far.
        generationOffset = count - MemoryLayout<UInt32>.size
    }

    deinit { unsafe memory.deallocate() }

    /// How many messages there are.
    var messageCount: Int { origins.count }

    /// The part that message `sequence` stands for; nil for another batch's.
    func origin(of sequence: UInt32) -> NftablesError.Origin? {
        let index = Int(sequence &- first)
        return index < origins.count ? origins[index] : nil
    }

    /// One of nf_tables' messages. `body` puts its attributes, which take no more than `messageLimit`.
    mutating func add(
        _ type: nf_tables_msg_types, flags: CInt = 0, _ origin: NftablesError.Origin,
        _ body: (UnsafeMutablePointer<nlmsghdr>) -> Void
    ) throws(NftablesError) {
        try unsafe append(origin) { buffer, sequence in
            let number = UInt16(truncatingIfNeeded: type.rawValue)
            guard let message = unsafe nftnl_nlmsg_build_hdr(buffer, number, Self.family, UInt16(flags), sequence)
            else {
                return nil
            }
            unsafe body(message)
            return unsafe message
        }
    }

    /// Asks for an answer to what has been added last, and ends the batch. The kernel is not asked to acknowledge beginning
    /// or end: not all kernels do.
    mutating func finish() throws(NftablesError) {
        let last = unsafe (memory + lastStart).assumingMemoryBound(to: nlmsghdr.self)
        if messageCount > 1 { unsafe last.pointee.nlmsg_flags |= UInt16(NLM_F_ACK) }
        try unsafe append(.transaction) { buffer, sequence in unsafe nftnl_batch_end(buffer, sequence) }
    }

    /// The finished batch as it is sent, valid until the batch changes. Nothing of it is applied unless `generation` is still
    /// the current one. Without its end the kernel carries out all of it, says what it has to say, and takes it back: that is
    /// a rehearsal.
    mutating func bytes(for generation: UInt32, isRehearsal: Bool) -> UnsafeRawBufferPointer {
        unsafe (memory + generationOffset).storeBytes(of: generation.bigEndian, as: UInt32.self)
        return unsafe UnsafeRawBufferPointer(start: memory, count: isRehearsal ? lastStart : count)
    }

    private static let family = UInt16(NFPROTO_INET)

    private mutating func append(
        _ origin: NftablesError.Origin,
        _ build: (UnsafeMutablePointer<CChar>, UInt32) -> UnsafeMutablePointer<nlmsghdr>?
    ) throws(NftablesError) {
        try makeRoom(origin)
        let place = unsafe (memory + count).assumingMemoryBound(to: CChar.self)
        let sequence = first &+ UInt32(truncatingIfNeeded: origins.count)
        guard let message = unsafe build(place, sequence) else { throw .unsuitable(origin, "no room") }
        lastStart = count
        count += (Int(unsafe message.pointee.nlmsg_len) + 3) & ~3
        origins.append(origin)
    }

    private mutating func makeRoom(_ origin: NftablesError.Origin) throws(NftablesError) {
        guard count + Self.messageLimit <= Self.sizeLimit else {
            throw .unsuitable(origin, "the ruleset takes more than \(Self.sizeLimit >> 20) MiB")
        }
        guard count + Self.messageLimit > capacity else { return }
        capacity *= 2
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        unsafe larger.copyMemory(from: memory, byteCount: count)
        unsafe memory.deallocate()
        unsafe memory = unsafe larger
    }
}
