import Pipeline

/// The stages that every pipeline has, top to bottom: the pipeline where the file names none.
package let coreStages: [StageDeclaration] = [
    TUNStage.declaration,
    // Above wireguard, because it finds the peer whose key is used.
    AllowedIPsStage.declaration,
    WireGuardStage.declaration,
    UDPStage.declaration,
]
