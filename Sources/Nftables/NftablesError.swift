import Glibc
import Linux

/// Why the kernel's tables are not as they were to be. Whatever it is, nothing of the change was made.
package enum NftablesError: Error, Hashable, Sendable {
    /// The kernel has no nf_tables, or netfilter's netlink is forbidden here.
    case unavailable(Errno)
    /// CAP_NET_ADMIN is needed.
    case notPermitted
    /// The table belongs to another process (`flags owner`), which alone may change it.
    case owned(table: String)
    /// Others have changed tables meanwhile, again and again while we tried.
    case generationChanged
    /// The kernel refuses these parts.
    case refused([Refusal])
    /// A part that cannot be written down for the kernel, and why.
    case unsuitable(Origin, String)
    /// The conversation with the kernel itself.
    case failed(NetlinkError)

    /// What the kernel says of one part.
    package struct Refusal: Hashable, Sendable {
        package let origin: Origin
        package let error: NetlinkError

        package init(_ origin: Origin, _ error: NetlinkError) {
            self.origin = origin
            self.error = error
        }
    }

    /// The part of a ruleset that a message to the kernel stands for.
    package enum Origin: Hashable, Sendable {
        /// The transaction as a whole: its beginning, its end.
        case transaction
        case table(String)
        case counter(String)
        case chain(String)
        case set(String)
        /// With the rule's comment, which says where it comes from.
        case rule(chain: String, comment: String, text: String)
    }
}

extension NftablesError {
    /// So many are told of at most; what follows the first is mostly its consequence.
    static let refusalLimit = 16

    /// What an error to a plain question means.
    init(asking error: NetlinkError) {
        switch error.errno.rawValue {
        case EPERM: self = .notPermitted
        // nfnetlink knows of no nf_tables.
        case EINVAL, EOPNOTSUPP: self = .unavailable(error.errno)
        default: self = .failed(error)
        }
    }

    /// What refusals of parts of a batch mean.
    init(_ refusals: [Refusal], table: String) {
        for refusal in refusals {
            switch (refusal.error.errno.rawValue, refusal.origin) {
            case (ERESTART, _): self = .generationChanged
            case (EPERM, .transaction): self = .notPermitted
            case (EINVAL, .transaction), (EOPNOTSUPP, .transaction): self = .unavailable(refusal.error.errno)
            // Past the beginning, the only thing that is not permitted is another's table.
            case (EPERM, _): self = .owned(table: table)
            default: continue
            }
            return
        }
        self = .refused(refusals)
    }
}

extension NftablesError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unavailable(let error): "the kernel has no nftables here: \(error.text)"
        case .notPermitted: "nftables: not permitted (CAP_NET_ADMIN is needed)"
        case .owned(let table): "the table inet \(table) belongs to another process"
        case .generationChanged: "others keep changing nftables; gave up"
        case .refused(let refusals): refusals.map(\.description).joined(separator: "\n")
        case .unsuitable(let origin, let reason): "\(origin): \(reason)"
        case .failed(let error): "nftables: \(error)"
        }
    }
}

extension NftablesError.Refusal: CustomStringConvertible {
    package var description: String { "\(origin): the kernel refuses it: \(error)" }
}

extension NftablesError.Origin: CustomStringConvertible {
    package var description: String {
        switch self {
        case .transaction: "nftables"
        case .table(let name): "table \(name)"
        case .counter(let name): "counter \(name)"
        case .chain(let name): "chain \(name)"
        case .set(let name): "set \(name)"
        case .rule(let chain, "", let text): "rule `\(text)` in chain \(chain)"
        case .rule(_, let comment, let text): "\(comment): rule `\(text)`"
        }
    }
}
