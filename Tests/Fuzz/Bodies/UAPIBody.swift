import Control
import Linux

/// The first byte says where the stream is cut in pieces: that must make no difference.
func fuzzUAPI(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let size = Int(input.byte()) + 1
    let text = Array(input.rest)
    let whole = operations(in: text, pieces: max(1, text.count))
    let pieces = operations(in: text, pieces: size)
    demand(whole == pieces, "\(whole) in one piece, \(pieces) in pieces of \(size)")
}

private func operations(in text: [UInt8], pieces size: Int) -> [String] {
    var parser = UAPIParser(scope: { $0 == "eth0" ? 2 : nil })
    var operations: [String] = []
    for start in stride(from: 0, to: text.count, by: size) {
        let piece = Array(text[start..<min(start + size, text.count)])
        unsafe piece.withUnsafeBytes { unsafe parser.feed($0) { operations.append(summary($0)) } }
    }
    if let last = parser.finish() { operations.append(summary(last)) }
    demand(parser.isIdle, "not idle after its end")
    return operations
}

/// An operation as text, its secrets left out.
private func summary(_ operation: UAPIOperation) -> String {
    switch operation {
    case .get: return "get"
    case .refused(let error): return "refused \(error)"
    case .set(let change):
        let key =
            switch change.privateKey {
            case nil: "-"
            case .remove: "removed"
            case .set: "set"
            }
        let peers = change.peers.map { peer in
            "\(peer.publicKey) \(peer.isRemoval) \(peer.isUpdateOnly) \(peer.presharedKey != nil) "
                + "\(String(describing: peer.endpoint)) \(String(describing: peer.persistentKeepalive)) "
                + "\(peer.replacesAllowedIPs) \(peer.allowedIPs)"
        }
        return "set \(key) \(String(describing: change.listenPort)) \(String(describing: change.fwmark)) "
            + "\(change.replacesPeers) \(peers)"
    }
}
