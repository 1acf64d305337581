import Configuration
import Crypto
import Foundation
import PacketPath
import Pipeline
import Router
import Wire
import WireGuard

extension WorkerAssembly {
    /// What a router is put together from, read from a file as a real one's is: `text`, which names its private key as
    /// `{ file: key }`.
    static func read(
        _ text: String, key: borrowing PrivateKey, _ environment: Environment, mailboxes: [Mailbox], now: Instant,
        crew: Crew? = nil
    ) throws -> WorkerAssembly {
        let folder = FileManager.default.temporaryDirectory.appending(path: "path-cost-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "router.yaml").path
        let keyFile = folder.appending(path: "key")
        try key.withText(.base64) { unsafe Data($0) }.write(to: keyFile)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile.path)
        let source = SourceText(file: path, bytes: Array(text.utf8))
        let loaded = try ConfigurationFile.load(source, stages: StageRegistry.schemas)
        return try WorkerAssembly(
            RouterPlan(loaded.configuration, cores: mailboxes.count), KeyFile(configuration: path, credentials: nil),
            environment, mailboxes: mailboxes, now: now, crew: crew)
    }
}
