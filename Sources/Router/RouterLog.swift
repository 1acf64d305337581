import Configuration
import Logging
import Pipeline
import Wire
import WireGuard

/// One line for each change of state, peers by name, never a key.
struct RouterLog: Sendable {
    let logger: Logger
    let registry: PeerRegistry

    func note(_ peer: PeerID, _ event: PeerEvent) {
        let name = registry.displayName(peer)
        switch event {
        case .handshakeCompleted(let initiator):
            logger.info("\(name): session established, \(initiator ? "we" : "they") began")
        case .handshakeGivenUp:
            logger.warning("\(name): no answer to handshakes for 90 s, waiting packets dropped")
        case .initiationUnanswered: break  // the resolver has more to say of it
        case .endpointChanged(let endpoint):
            logger.info("\(name): endpoint is now \(endpoint)")
        case .keysWiped:
            logger.info("\(name): session long unused, keys wiped")
        case .endpointInTunnel(let endpoint):
            logger.warning(
                "\(name): the way to its endpoint \(endpoint) leads into its own tunnel: such datagrams are dropped")
        case .stampFromTheFuture:
            logger.warning(
                "\(name): its clock is more than 10 minutes ahead of ours; when it is set back, handshakes fail until then"
            )
        }
    }
}
