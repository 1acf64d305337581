import Wire

/// A path-compressed binary trie for each family, over one set of entries and branches.
///
/// A branch doesn't hold the bits that lead to it: a walk down decides by single bits, and what it ends at tells by
/// one comparison how far the way was right (Morrison's PATRICIA). So a step of a look-up loads 16 bytes.
struct Trie: ~Copyable {
    var entries = Slab<Entry>()
    private(set) var branches = Slab<Branch>()
    private var root4 = Reference.none
    private var root6 = Reference.none

    // MARK: Looking up

    func lookup(_ bits: BitString, in family: IPAddress.Family) -> PeerID {
        let root = family == .v4 ? root4 : root6
        var last = Entry.none
        var next = root
        while let index = next.branch {
            let branch = branches[index]
            if branch.entry != Entry.none { last = branch.entry }
            next = branch[bits.bit(branch.position)]
        }
        // A way that ends nowhere ends below a branch with an entry, which is what `last` is then.
        if let leaf = next.leaf { last = leaf }
        guard last != Entry.none else { return .none }
        let common = bits.commonLength(entries[last].bits)
        if common >= Int(entries[last].length) { return entries[last].peer }
        return lookup(bits, from: root, atMost: common)
    }

    /// The longest prefix on the way down that has no more than `common` bits, which are those that are known to match.
    private func lookup(_ bits: BitString, from root: Reference, atMost common: Int) -> PeerID {
        var best = Entry.none
        var next = root
        while let index = next.branch, branches[index].position <= common {
            if branches[index].entry != Entry.none { best = branches[index].entry }
            next = branches[index][bits.bit(branches[index].position)]
        }
        return best == Entry.none ? .none : entries[best].peer
    }

    /// The index of exactly this prefix's entry.
    func find(_ prefix: Prefix) -> UInt32? {
        let bits = BitString(prefix.address)
        var next = prefix.family == .v4 ? root4 : root6
        while let index = next.branch, branches[index].position < prefix.length {
            next = branches[index][bits.bit(branches[index].position)]
        }
        let found = next.leaf ?? next.branch.map { branches[$0].entry } ?? Entry.none
        guard found != Entry.none, Int(entries[found].length) == prefix.length, entries[found].bits == bits else {
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
            setRoot(.leaf(entry), prefix.family)
            return entry
        }
        // Up to here the prefix shares its way with what is there.
        let shared = min(bits.commonLength(entries[sample].bits), Int(entries[sample].length), prefix.length)
        let isNested = shared < prefix.length
        var link = Link.root(prefix.family)
        while let index = self[link].branch {
            let position = branches[index].position
            guard position < shared || (position == shared && isNested) else { break }
            link = .child(index, bits.bit(position))
        }
        place(entry, at: link, shared: shared, sampleBits: entries[sample].bits)
        return entry
    }

    /// Hangs a new entry, which shares `shared` bits with what stands at `link`, at that place.
    private mutating func place(_ entry: UInt32, at link: Link, shared: Int, sampleBits: BitString) {
        let there = self[link]
        guard there != .none else {
            self[link] = .leaf(entry)
            return
        }
        var branch = Branch(zero: .none, one: .none, entry: Entry.none, position: UInt32(shared))
        let bits = entries[entry].bits
        if shared == Int(entries[entry].length) {
            // What is there is longer, or parts here: the entry goes above it, or to it.
            if let index = there.branch, branches[index].position == shared {
                branches[index].entry = entry
                return
            }
            branch.entry = entry
            branch[sampleBits.bit(UInt32(shared))] = there
        } else {
            branch[bits.bit(UInt32(shared))] = .leaf(entry)
            if let leaf = there.leaf, Int(entries[leaf].length) == shared {
                branch.entry = leaf
            } else {
                branch[sampleBits.bit(UInt32(shared))] = there
            }
        }
        self[link] = .branch(branches.add(branch))
    }

    /// Some entry that shares as many leading bits with the prefix as any does; `Entry.none` in an empty trie.
    private func sample(near bits: BitString, length: Int, in family: IPAddress.Family) -> UInt32 {
        var next = family == .v4 ? root4 : root6
        var last = Entry.none
        while let index = next.branch {
            let branch = branches[index]
            if branch.entry != Entry.none { last = branch.entry }
            guard branch.position < length else {
                // Everything below agrees as far as the prefix reaches.
                if branch.entry != Entry.none { return branch.entry }
                next = branch.zero
                continue
            }
            next = branch[bits.bit(branch.position)]
        }
        return next.leaf ?? last
    }

    /// Removes a prefix that is there, and the branches that only it needed.
    mutating func remove(_ prefix: Prefix) {
        let bits = BitString(prefix.address)
        var above: Link?
        var link = Link.root(prefix.family)
        while let index = self[link].branch, branches[index].position < prefix.length {
            above = link
            link = .child(index, bits.bit(branches[index].position))
        }
        if let index = self[link].branch {
            entries.remove(branches[index].entry)
            branches[index].entry = Entry.none
            fold(link)
        } else if let leaf = self[link].leaf {
            entries.remove(leaf)
            self[link] = .none
            if let above { fold(above) }
        }
    }

    /// Puts what is left of a branch in its place, where that is one thing only.
    private mutating func fold(_ link: Link) {
        guard let index = self[link].branch else { return }
        let branch = branches[index]
        switch (branch.zero, branch.one, branch.entry) {
        case (.none, .none, let entry): self[link] = .leaf(entry)
        case (.none, let only, Entry.none): self[link] = only
        case (let only, .none, Entry.none): self[link] = only
        default: return
        }
        branches.remove(index)
    }

    // MARK: Links

    /// The place of a reference: a root, or one side of a branch.
    private enum Link {
        case root(IPAddress.Family)
        case child(UInt32, Bool)
    }

    private subscript(_ link: Link) -> Reference {
        get {
            switch link {
            case .root(.v4): root4
            case .root(.v6): root6
            case .child(let index, let side): branches[index][side]
            }
        }
        set {
            switch link {
            case .root(let family): setRoot(newValue, family)
            case .child(let index, let side): branches[index][side] = newValue
            }
        }
    }

    private mutating func setRoot(_ reference: Reference, _ family: IPAddress.Family) {
        switch family {
        case .v4: root4 = reference
        case .v6: root6 = reference
        }
    }
}
