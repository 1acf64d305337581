import Glibc
import Linux

/// Why the kernel's tables are not as they were to be. Whatever it is, nothing of the change was made.
package enum NftablesError: Error, Hashable, Sendable {
    /// The kernel has no nf_tables, or netfilter's netlink is forbidden here.
    case unavailable(Errno)
    /// CAP_NET_ADMIN is needed.
    case notPermitted
    /// The table belongs to another process (`flags owner`), which alone may change it. Its netlink port, where that is
    /// known, is as a rule its pid.
    case owned(table: String, port: UInt32?)
    /// A table of that name is there which does not say that it is ours.
    case foreign(table: String)
    /// The table that was installed is not there any more.
    case missing(table: String)
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

    /// What it means that there is no socket.
    init(opening error: Errno) {
        self = error.rawValue == EPERM || error.rawValue == EACCES ? .notPermitted : .unavailable(error)
    }

    /// What an error to a plain question means.
    init(asking error: NetlinkError) {
        switch error.errno.rawValue {
        case EPERM, EACCES: self = .notPermitted
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
            case (EPERM, _): self = .owned(table: table, port: nil)
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
        case .unavailable(let error):
            "the kernel has no nftables here (\(error.text)): load its module nf_tables, or do without the stages that need it"
        case .notPermitted:
            "nftables: not permitted: it takes root or CAP_NET_ADMIN, and netlink's netfilter family must not be forbidden"
        case .owned(let table, let port):
            "the table inet \(table) belongs to another process (flags owner\(port.map { ", netlink port \($0), as a rule its pid" } ?? "")): end that process, or take another name for the router"
        case .foreign(let table):
            "there is a table inet \(table) that this program has not made: delete it (nft delete table inet \(table)), or take another name for the router"
        case .missing(let table):
            "somebody has deleted the table inet \(table): a reload puts it back"
        case .generationChanged: "others keep changing nftables: gave up after \(NftablesSocket.attempts) attempts"
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
