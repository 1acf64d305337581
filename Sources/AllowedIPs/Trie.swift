import Wire

/// A path-compressed trie of 64 ways for each family, over one set of entries and nodes.
///
/// A node doesn't hold the bits that lead to it: a walk down decides by the six bits that each node looks at, and what it
/// ends at tells by one comparison how far the way was right (Morrison's PATRICIA). Which of the ways are there is a word
/// of bits, and so is which prefixes end in a node (Eatherton's tree bitmap): so a million prefixes are four or five nodes
/// deep, and a step of a look-up loads 24 bytes and a reference.
struct Trie: ~Copyable {
    var entries = Slab<Entry>()
    private(set) var nodes = Slab<Node>()
    private(set) var blocks = Blocks()
    private var root4 = Reference.none
    private var root6 = Reference.none

    var byteCount: Int { entries.byteCount + nodes.byteCount + blocks.byteCount }

    // MARK: Looking up

    func lookup(_ bits: BitString, in family: IPAddress.Family) -> PeerID {
        var last = Entry.none
        var next = root(family)
        while let index = next.node {
            let node = nodes[index]
            let way = bits.way(at: node.position)
            if let end = node.longestEnd(way: way) { last = entry(node, end) }
            next = reference(node, way)
        }
        if let leaf = next.leaf { last = leaf }
        return last == Entry.none ? .none : owner(bits, entries[last], in: family)
    }

    func root(_ family: IPAddress.Family) -> Reference { family == .v4 ? root4 : root6 }

    /// Where the way goes on.
    func reference(_ node: Node, _ way: Int) -> Reference {
        node.has(way: way) ? blocks[node.block, node.place(ofWay: way)] : .none
    }

    /// The entry of a prefix that ends in a node.
    func entry(_ node: Node, _ end: Int) -> UInt32 { blocks[node.block, node.place(ofEnd: end)].leaf ?? Entry.none }

    /// Whose the address is, when `last` is the longest prefix that its way has led to.
    func owner(_ bits: BitString, _ last: Entry, in family: IPAddress.Family) -> PeerID {
        let common = bits.commonLength(last.bits)
        return common >= Int(last.length) ? last.peer : lookup(bits, from: root(family), atMost: common)
    }

    /// The longest prefix on the way down that has no more than `common` bits, which are those that are known to match.
    private func lookup(_ bits: BitString, from root: Reference, atMost common: Int) -> PeerID {
        var best = Entry.none
        var next = root
        while let index = next.node, nodes[index].position <= common {
            let node = nodes[index]
            let way = bits.way(at: node.position)
            if let end = node.longestEnd(way: way, notAfter: common) { best = entry(node, end) }
            next = reference(node, way)
        }
        // A leaf, where there is one, is what did not match.
        return best == Entry.none ? .none : entries[best].peer
    }

    /// The index of exactly this prefix's entry.
    func find(_ prefix: Prefix) -> UInt32? {
        let bits = BitString(prefix.address)
        var next = root(prefix.family)
        while let index = next.node {
            let node = nodes[index]
            guard node.position <= prefix.length else { return nil }
            let way = bits.way(at: node.position)
            if let end = node.end(prefix.length, way: way) {
                next = node.has(end: end) ? .leaf(entry(node, end)) : .none
            } else {
                next = reference(node, way)
            }
        }
        guard let found = next.leaf, Int(entries[found].length) == prefix.length, entries[found].bits == bits else {
            return nil
        }
        return found
    }

    // MARK: Changing

    /// The index of the prefix's entry, which is new, and nobody's, if there was none.
    mutating func insert(_ prefix: Prefix) -> UInt32 {
        if let entry = find(prefix) { return entry }
        let bits = BitString(prefix.address)
        let entry = entries.add(Entry(prefix))
        let sample = sample(near: bits, length: prefix.length, in: prefix.family)
        guard sample != Entry.none else {
            self[.root(prefix.family)] = .leaf(entry)
            return entry
        }
        // Up to here the prefix shares its way with what is there.
        let shared = min(bits.commonLength(entries[sample].bits), Int(entries[sample].length), prefix.length)
        let position = shared - shared % Node.stride
        var link = Link.root(prefix.family)
        while let index = self[link].node, nodes[index].position < position {
            link = .way(index, bits.way(at: nodes[index].position))
        }
        let there = self[link]
        if let node = there.node, nodes[node].position == position {
            hang(.leaf(entry), like: entry, in: node)
        } else {
            let node = nodes.add(Node(at: position))
            self[link] = .node(node)
            hang(there, like: sample, in: node)
            hang(.leaf(entry), like: entry, in: node)
        }
        return entry
    }

    /// Hangs a reference into a node where it leads to entries whose bits are, as far as the node looks at them, those of
    /// `entry`.
    private mutating func hang(_ reference: Reference, like entry: UInt32, in node: UInt32) {
        let way = entries[entry].bits.way(at: nodes[node].position)
        let (place, count): (Int, Int)
        if reference.leaf != nil, let end = nodes[node].end(Int(entries[entry].length), way: way) {
            (place, count) = (nodes[node].place(ofEnd: end), nodes[node].count)
            nodes[node].ends |= 1 << UInt64(end)
        } else {
            (place, count) = (nodes[node].place(ofWay: way), nodes[node].count)
            nodes[node].ways |= 1 << UInt64(way)
        }
        nodes[node].block = blocks.insert(reference, at: place, of: count, in: nodes[node].block)
    }

    /// Some entry that shares as many leading bits with the prefix as any does; `Entry.none` in an empty trie.
    private func sample(near bits: BitString, length: Int, in family: IPAddress.Family) -> UInt32 {
        var next = root(family)
        while let index = next.node {
            let node = nodes[index]
            let way = bits.way(at: node.position)
            let goesOn = length >= Int(node.position) + Node.stride && node.has(way: way)
            // What is in one node shares more with each other than with anything else: any will do.
            next = blocks[node.block, goesOn ? node.place(ofWay: way) : 0]
        }
        return next.leaf ?? Entry.none
    }

    /// Removes a prefix that is there, and the nodes that only it needed.
    mutating func remove(_ prefix: Prefix) {
        let bits = BitString(prefix.address)
        var link = Link.root(prefix.family)
        while let index = self[link].node {
            let node = nodes[index]
            let way = bits.way(at: node.position)
            if let end = node.end(prefix.length, way: way) {
                entries.remove(entry(node, end))
                nodes[index].ends &= ~(1 << UInt64(end))
                return takeOut(node.place(ofEnd: end), of: node, at: link)
            }
            let next = Link.way(index, way)
            if let leaf = self[next].leaf {
                entries.remove(leaf)
                nodes[index].ways &= ~(1 << UInt64(way))
                return takeOut(node.place(ofWay: way), of: node, at: link)
            }
            link = next
        }
        if let leaf = self[link].leaf {
            entries.remove(leaf)
            self[link] = .none
        }
    }

    /// Takes a reference out of the block of the node at `link`, which was `before`, and puts what is left in the node's
    /// place, where that is one thing only.
    private mutating func takeOut(_ place: Int, of before: Node, at link: Link) {
        guard let index = self[link].node else { return }
        nodes[index].block = blocks.remove(at: place, of: before.count, in: before.block)
        guard nodes[index].count == 1 else { return }
        self[link] = blocks[nodes[index].block, 0]
        _ = blocks.remove(at: 0, of: 1, in: nodes[index].block)
        nodes.remove(index)
    }

    // MARK: Links

    /// The place of a reference: a root, or a way of a node.
    private enum Link {
        case root(IPAddress.Family)
        case way(UInt32, Int)
    }

    private subscript(_ link: Link) -> Reference {
        get {
            switch link {
            case .root(.v4): root4
            case .root(.v6): root6
            case .way(let index, let way): blocks[nodes[index].block, nodes[index].place(ofWay: way)]
            }
        }
        set {
            switch link {
            case .root(.v4): root4 = newValue
            case .root(.v6): root6 = newValue
            case .way(let index, let way): blocks[nodes[index].block, nodes[index].place(ofWay: way)] = newValue
            }
        }
    }
}
