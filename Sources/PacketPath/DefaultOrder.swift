import Pipeline

/// The pipeline where the file names none, top to bottom.
package let defaultOrder = [
    TUNStage.declaration.name,
    // Above wireguard: it finds the peer whose key is used.
    AllowedIPsStage.declaration.name,
    WireGuardStage.declaration.name,
    UDPStage.declaration.name,
]

/// The stages that every pipeline has, in the order of `defaultOrder`.
package let coreStages: [StageDeclaration] = [
    TUNStage.declaration, AllowedIPsStage.declaration, WireGuardStage.declaration, UDPStage.declaration,
]
