import Control
import Crypto
import Linux
import Logging
import Synchronization

/// What a router gives up before the first packet (S-34): whoever gets hold of it gets little. Told of in
/// etc/decisions/confinement.md.
enum Confinement {
    /// What is needed for as long as it runs.
    private static let capabilities: [Capability] = [.netAdmin, .netBindService]

    /// Secrets of a peer at the most: its preshared key twice, the shared secret of the static keys, three sessions of two keys,
    /// and what a handshake under way has.
    private static let secretsPerPeer = 13

    private static let hasWarned = Atomic(false)

    /// Has memory locked for secrets. As much as so many peers may come to need where the limit would not allow it later,
    /// when CAP_IPC_LOCK is gone; else it is enough to know that there will be.
    static func lockSecrets(peers: Int, _ log: Logger) {
        let allowed = ProcessFlags.raiseMemoryLock()
        let secrets = peers * secretsPerPeer
        SecretMemory.shared.reserve(UInt64(secrets * SecretMemory.slotSize) > allowed ? secrets : 1)
        checkSecrets(log)
    }

    /// Says, once, that there are secrets in memory that could not be locked: at start, or when more have come.
    static func checkSecrets(_ log: Logger) {
        let size = SecretMemory.shared.size
        guard size.unlocked > 0, !hasWarned.exchange(true, ordering: .relaxed) else { return }
        log.warning(
            "secrets may be swapped to a disk: of \(size.total >> 10) KiB for them \(size.unlocked >> 10) KiB could not be locked (RLIMIT_MEMLOCK)"
        )
    }

    /// For the calling thread and all that it makes. `changing`: files and folders that are changed while it runs. What this
    /// kernel cannot do is said in the log, and left.
    static func enter(changing paths: [String], _ log: Logger) {
        attempt("core dumps are not switched off", log) { () throws(Errno) in try ProcessFlags.noCoreDumps() }
        attempt("capabilities are kept", log) { () throws(Errno) in try Capabilities.keepOnly(capabilities) }
        attempt("system calls and files are not restricted", log) { () throws(Errno) in
            try ProcessFlags.noNewPrivileges()
            attempt("files are not restricted (Landlock)", log) { () throws(Errno) in
                try Landlock.allowChanges(below: paths + always)
            }
            attempt("system calls are not restricted (seccomp)", log) { () throws(Errno) in
                try SystemCallFilter().install()
            }
        }
    }

    /// Settings that are put back at the end, where a router in the background sends what nobody reads, and where interfaces
    /// come from that a new file has.
    private static let always = ["/proc/sys/net", "/dev/null", "/dev/net/tun", UAPISocket.defaultDirectory]

    private static func attempt(_ otherwise: String, _ log: Logger, _ step: () throws(Errno) -> Void) {
        do throws(Errno) {
            try step()
        } catch {
            log.warning("\(otherwise): \(error)")
        }
    }
}
