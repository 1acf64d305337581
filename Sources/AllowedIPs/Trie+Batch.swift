import Wire

// Many look-ups at once. In a large table nearly every step of a look-up waits for memory: those of several addresses are
// taken together, each loop doing one short thing for all of them, so that the processor waits for all at the same time.
extension Trie {
    /// Look-ups that are under way together: more than a processor can have outstanding loads.
    private static var lanes: Int { 32 }

    /// For each address what `lookup` finds; both are of one length.
    func lookup(_ addresses: Span<IPAddress>, _ peers: inout MutableSpan<PeerID>) {
        for start in stride(from: 0, to: addresses.count, by: Self.lanes) {
            let range = start..<min(start + Self.lanes, addresses.count)
            lookup(addresses.extracting(range), &peers, from: start)
        }
    }

    private func lookup(_ addresses: Span<IPAddress>, _ peers: inout MutableSpan<PeerID>, from start: Int) {
        var bits = InlineArray<32, BitString>(repeating: BitString(v4: 0))
        var next = InlineArray<32, Reference>(repeating: .none)
        var last = InlineArray<32, UInt32>(repeating: Entry.none)
        var visited = InlineArray<32, Node>(repeating: .vacant)
        var place = InlineArray<32, Int>(repeating: -1)
        var found = InlineArray<32, Entry>(repeating: .vacant)
        let lanes = addresses.indices
        for lane in lanes {
            peers[start + lane] = .none
            bits[lane] = BitString(addresses[lane])
            next[lane] = root(addresses[lane].family)
        }
        while true {
            var isDone = true
            for lane in lanes {
                guard let index = next[lane].node else { continue }
                visited[lane] = nodes[index]
                isDone = false
            }
            guard !isDone else { break }
            for lane in lanes where next[lane].node != nil {
                let way = bits[lane].way(at: visited[lane].position)
                if let end = visited[lane].longestEnd(way: way) { last[lane] = entry(visited[lane], end) }
                place[lane] = visited[lane].has(way: way) ? visited[lane].place(ofWay: way) : -1
            }
            for lane in lanes where next[lane].node != nil {
                next[lane] = place[lane] < 0 ? .none : blocks[visited[lane].block, place[lane]]
            }
        }
        for lane in lanes {
            if let leaf = next[lane].leaf { last[lane] = leaf }
            if last[lane] != Entry.none { found[lane] = entries[last[lane]] }
        }
        for lane in lanes where last[lane] != Entry.none {
            peers[start + lane] = owner(bits[lane], found[lane], in: addresses[lane].family)
        }
    }
}
