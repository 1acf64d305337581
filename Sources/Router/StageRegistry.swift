import DSCP
import Firewall
import NAT
import NetMap
import PacketPath
import Pipeline
import RateLimit

/// Every stage that a file may name, in the order in which they are listed for people.
package enum StageRegistry {
    package static let schemas: [StageSchema] = coreStages.map { StageSchema($0) } + plugins

    /// What is under Plugins/, one line each.
    package static let plugins: [StageSchema] = [
        Firewall.schema,
        NAT.schema,
        StageSchema(DSCP.self),
        StageSchema(NetMap.self),
        StageSchema(RateLimit.self),
    ]
}
