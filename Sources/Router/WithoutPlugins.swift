import PacketPath
import Pipeline

/// What stands in for StageRegistry.swift where the package is built without Plugins (`FULLBORE_WITHOUT_PLUGINS`).
package enum StageRegistry {
    package static let schemas: [StageSchema] = coreStages.map { StageSchema($0) }
    package static let plugins: [StageSchema] = []
}
