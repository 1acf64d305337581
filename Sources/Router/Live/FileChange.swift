import Configuration
import Crypto
import PacketPath
import Wire
import WireGuard

/// What a running router is to become, as far as its workers have a part in it.
struct FileChange {
    /// Interfaces that stay.
    let interfaces: [(id: InterfaceID, file: InterfaceFile)]
    let arrivals: [InterfaceArrival]
    let departures: [InterfaceID]
    /// The file's name, for what is to be said of its lines.
    let file: String
    let groups: [GroupConfiguration]
    /// The pipeline, where it is another one than before.
    let pipeline: [StageRecipe]?
}

/// An interface that comes: its device and its sockets are there.
struct InterfaceArrival {
    /// An empty slot.
    let id: InterfaceID
    let file: InterfaceFile
    let ends: InterfaceEnds
    /// Greatest time stamps from before the start.
    let remembered: [PublicKey: TAI64N]
}

/// What carrying out a file's change has come to.
struct FileOutcome {
    /// Peers that are to be looked for.
    var searches: [EndpointResolver.Name] = []
    /// What has changed, for people: `wg0: 1 peer added`.
    var summary: [String] = []
}
