import CLinux
import Glibc

/// A process that keeps itself from changing files, from starting programs, and from sending others signals (landlock(7)).
/// Linux 5.13; the last, 6.12.
///
/// What it reads is not restricted: names are looked up by modules and files that are the host's affair, and a new
/// configuration may name other key files.
package enum Landlock {
    /// The version that the kernel has; nil where it has none, or it is switched off.
    package static var version: Int? {
        let version = clinux_landlock_version()
        return version > 0 ? Int(version) : nil
    }

    /// Rights over files and folders (linux/landlock.h), by the version that has brought them.
    private enum Access {
        static let execute: UInt64 = 1 << 0
        static let writeFile: UInt64 = 1 << 1
        /// Removing and making of whatever kind: bits 4 to 12.
        static let changeFolder: UInt64 = 0x1ff << 4
        /// Version 2: moving from folder to folder, which version 1 forbids altogether.
        static let refer: UInt64 = 1 << 13
        /// Version 3.
        static let truncate: UInt64 = 1 << 14

        static func changes(_ version: Int) -> UInt64 {
            writeFile | changeFolder | (version >= 2 ? refer : 0) | (version >= 3 ? truncate : 0)
        }
        /// What makes sense for a file that is no folder.
        static func ofFile(_ version: Int) -> UInt64 { writeFile | (version >= 3 ? truncate : 0) }
    }

    /// Version 6: abstract Unix sockets and signals (by whatever way: `fcntl` has some) of processes that are not confined
    /// with this one.
    private static func scoped(_ version: Int) -> UInt64 { version >= 6 ? 0b11 : 0 }

    /// From now on the calling thread, and those that it makes, change files only at and below `paths`, and execute none; where
    /// the kernel can do it they send signals to each other alone. Paths that do not exist are left out. ENOSYS or EOPNOTSUPP
    /// where there is no Landlock; `noNewPrivileges` comes first.
    package static func allowChanges(below paths: [String]) throws(Errno) {
        guard let version else { throw Errno.last("landlock_create_ruleset") }
        let changes = Access.changes(version)
        let ruleset = try FileDescriptor(
            clinux_landlock_create(changes | Access.execute, scoped(version)), "landlock_create_ruleset")
        for path in paths {
            let place: FileDescriptor
            do throws(Errno) {
                place = try FileDescriptor.open(path, CInt(CLINUX_O_PATH.rawValue))
            } catch {
                guard error == Errno(ENOENT) else { throw error }
                continue
            }
            var status = stat()
            try Errno.check(unsafe fstat(place.rawValue, &status), "fstat \(path)")
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            let allowed = isFolder ? changes : changes & Access.ofFile(version)
            try Errno.check(
                clinux_landlock_add_path(ruleset.rawValue, place.rawValue, allowed), "landlock_add_rule \(path)")
        }
        try Errno.check(clinux_landlock_restrict(ruleset.rawValue), "landlock_restrict_self")
    }
}
