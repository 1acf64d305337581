import Nftables
import Wire

extension [Match] {
    /// Whether no packet meets all of them, because they ask for two families. Such a rule would be dead, and nft could not
    /// load what it lists of it.
    package var contradict: Bool { Set(compactMap(\.askedFamily)).count > 1 }
}

extension Match {
    /// The family that the match is about; nil when it may be either.
    fileprivate var askedFamily: IPAddress.Family? {
        switch test {
        case .family(let family): family
        case .address(_, let prefix): prefix.family
        case .addresses(_, let prefixes): prefixes.family
        default: nil
        }
    }
}
