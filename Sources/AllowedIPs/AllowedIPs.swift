import Wire

/// Which peer owns an address: a longest-prefix-match table for both families (the paper's cryptokey routing, P-7).
///
/// Looking up takes no lock, no allocation and no reference count. A table belongs to one thread: each worker has its
/// own and applies the same changes to it.
package struct AllowedIPs: ~Copyable {
    private var trie = Trie()
    /// Each peer's entries, at its index.
    private var peers: [EntryList] = []

    package init() {}

    /// Prefixes in the table, of both families.
    package var count: Int { trie.entries.count }

    /// Entries and nodes in use; 0 when the table is empty.
    var nodeCount: Int { trie.entries.count + trie.nodes.count }

    /// Bytes of memory that the table has, with room for what may come.
    package var byteCount: Int {
        trie.byteCount + peers.capacity * MemoryLayout<EntryList>.stride
    }

    // MARK: Looking up

    /// The peer with the longest prefix that holds `address`; `PeerID.none` where there is no such prefix (P-7.1).
    package func lookup(_ address: IPAddress) -> PeerID {
        trie.lookup(BitString(address), in: address.family)
    }

    /// The same for several addresses at once, which costs less where the table is large; `peers` has room for each.
    package func lookup(_ addresses: Span<IPAddress>, _ peers: inout MutableSpan<PeerID>) {
        trie.lookup(addresses, &peers)
    }

    /// The same for an IPv4 address whose network-order bytes read as `bits`.
    package func lookup(v4 bits: UInt32) -> PeerID { trie.lookup(BitString(v4: bits), in: .v4) }

    /// The same for an IPv6 address in two halves of host order.
    package func lookup(v6High high: UInt64, low: UInt64) -> PeerID {
        trie.lookup(BitString(high: high, low: low), in: .v6)
    }

    /// The peer that has exactly this prefix, or `PeerID.none`.
    package func owner(of prefix: Prefix) -> PeerID {
        guard let entry = trie.find(prefix) else { return .none }
        return trie.entries[entry].peer
    }

    /// The peer's prefixes, the one inserted last at the end (P-7.8).
    package func prefixes(of peer: PeerID) -> [Prefix] {
        guard peers.indices.contains(peer.index) else { return [] }
        var prefixes: [Prefix] = []
        prefixes.reserveCapacity(Int(peers[peer.index].count))
        var next = peers[peer.index].first
        while next != Entry.none {
            if let prefix = trie.entries[next].prefix { prefixes.append(prefix) }
            next = trie.entries[next].next
        }
        return prefixes
    }

    // MARK: Changing

    /// Gives the prefix to `peer`, taking it from the peer that has it, and puts it at the end of the peer's prefixes
    /// (P-7.3).
    package mutating func insert(_ prefix: Prefix, peer: PeerID) {
        precondition(peer.index >= 0, "allowed IPs belong to a peer")
        let entry = trie.insert(prefix)
        unlink(entry)
        link(entry, peer)
    }

    /// Takes the prefix from `peer`; false, and no change, where the peer doesn't have it (P-7.5).
    @discardableResult
    package mutating func remove(_ prefix: Prefix, peer: PeerID) -> Bool {
        guard let entry = trie.find(prefix), trie.entries[entry].peer == peer else { return false }
        unlink(entry)
        trie.remove(prefix)
        return true
    }

    /// Takes all prefixes from `peer`, in time proportional to their number (P-7.4).
    package mutating func removeAll(of peer: PeerID) {
        guard peers.indices.contains(peer.index) else { return }
        var next = peers[peer.index].first
        peers[peer.index] = EntryList()
        while next != Entry.none {
            let entry = trie.entries[next]
            if let prefix = entry.prefix { trie.remove(prefix) }
            next = entry.next
        }
    }

    // MARK: A peer's list

    private mutating func link(_ index: UInt32, _ peer: PeerID) {
        while peers.count <= peer.index { peers.append(EntryList()) }
        let last = peers[peer.index].last
        trie.entries[index].peer = peer
        trie.entries[index].previous = last
        trie.entries[index].next = Entry.none
        if last == Entry.none { peers[peer.index].first = index } else { trie.entries[last].next = index }
        peers[peer.index].last = index
        peers[peer.index].count += 1
    }

    private mutating func unlink(_ index: UInt32) {
        let entry = trie.entries[index]
        guard entry.peer != .none else { return }
        let peer = entry.peer.index
        if entry.previous == Entry.none {
            peers[peer].first = entry.next
        } else {
            trie.entries[entry.previous].next = entry.next
        }
        if entry.next == Entry.none {
            peers[peer].last = entry.previous
        } else {
            trie.entries[entry.next].previous = entry.previous
        }
        peers[peer].count -= 1
    }
}

/// A doubly linked list of entries, linked through the entries themselves.
private struct EntryList {
    var first = Entry.none
    var last = Entry.none
    var count: UInt32 = 0
}
