import Configuration
import Crypto
import Glibc
import Pipeline
import Testing

/// Key files as they are on a real file system.
final class KeyFileTests {
    private let folder: String
    private static let key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
    private static let publicKey = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="

    init() throws {
        var template = Array("/tmp/fullbore-keys-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { name in
            unsafe name.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
        }
        try #require(made)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names { _ = unsafe unlink("\(folder)/\(name)") }
        _ = unsafe rmdir("\(folder)/folder")
        _ = unsafe rmdir(folder)
    }

    private var names: [String] = []

    /// Writes a file and returns its path.
    private func write(_ name: String, _ text: String, mode: mode_t = 0o600) -> String {
        let path = "\(folder)/\(name)"
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        fchmod(descriptor, mode)
        close(descriptor)
        names.append(name)
        return path
    }

    private func problem(_ source: KeySource, credentials: String? = nil) -> String? {
        do throws(KeyProblem) {
            _ = try KeyFile(configuration: "\(folder)/router.yaml", credentials: credentials).privateKey(source)
            return nil
        } catch {
            return error.message.replacing(folder, with: "DIR")
        }
    }

    @Test(arguments: [
        key, key + "\n", key + "\r\n", " \t\(key)  \n\n",
    ])
    func `a key is read, with blanks around it`(_ text: String) throws {
        let file = KeyFile(configuration: "router.yaml", credentials: nil)
        let key = try file.privateKey(.file(write("k", text)))
        #expect(key.publicKey.base64 == Self.publicKey)
        let preshared = try file.presharedKey(.file(write("k", text)))
        let text = preshared.withText(.base64) { unsafe String(decoding: $0, as: UTF8.self) }
        #expect(text == Self.key)
    }

    @Test func `a path that is not absolute counts from the folder of the configuration`() throws {
        _ = write("k", Self.key)
        #expect(problem(.file("k")) == nil)
        #expect(problem(.file("./k")) == nil)
    }

    @Test(arguments: [
        ("", "'DIR/k' holds no key: that is 44 characters of base64, as wg genkey writes them"),
        ("\n", "'DIR/k' holds no key: that is 44 characters of base64, as wg genkey writes them"),
        ("hello", "'DIR/k' holds no key: that is 44 characters of base64, as wg genkey writes them"),
        (String(key.dropLast()), "'DIR/k' holds no key: that is 44 characters of base64, as wg genkey writes them"),
        (key + " " + key, "'DIR/k' holds no key: that is 44 characters of base64, as wg genkey writes them"),
        (String(repeating: "A", count: 43) + "=", "the key in 'DIR/k' is all zeros, which is none"),
        (key + String(repeating: "\n", count: 300), "'DIR/k' is too large for a key, which is 44 characters of base64"),
    ])
    func `a file that holds something else is refused, and nothing of it repeated`(_ text: String, _ message: String) {
        _ = write("k", text)
        #expect(problem(.file("k")) == message)
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666] as [mode_t])
    func `a file that others may use is refused, with the way to mend it`(_ mode: mode_t) {
        _ = write("k", Self.key, mode: mode)
        let octal = String(mode, radix: 8)
        #expect(
            problem(.file("k"))
                == "others than its owner may use the key 'DIR/k' (mode 0\(octal)): chmod 600 'DIR/k'")
    }

    @Test(arguments: [0o600, 0o400, 0o700] as [mode_t])
    func `a file for its owner alone is fine`(_ mode: mode_t) {
        _ = write("k", Self.key, mode: mode)
        #expect(problem(.file("k")) == nil)
    }

    @Test func `a file that is not there or not a file is refused`() {
        unsafe mkdir("\(folder)/folder", 0o700)
        unsafe mkfifo("\(folder)/fifo", 0o600)
        unsafe symlink("\(folder)/nowhere", "\(folder)/link")
        names += ["fifo", "link"]
        #expect(problem(.file("k")) == "cannot read the key 'DIR/k': no such file")
        #expect(problem(.file("link")) == "cannot read the key 'DIR/link': no such file")
        #expect(problem(.file("folder")) == "cannot read the key 'DIR/folder': not a file")
        #expect(problem(.file("fifo")) == "cannot read the key 'DIR/fifo': not a file")
        #expect(problem(.file("/dev/null")) == "cannot read the key '/dev/null': not a file")
    }

    @Test func `a credential is looked for where systemd puts it, readable through an ACL`() {
        _ = write("wg0.key", Self.key, mode: 0o440)
        #expect(problem(.credential("wg0.key"), credentials: folder) == nil)
        #expect(problem(.credential("other"), credentials: folder) == "cannot read the key 'DIR/other': no such file")
        #expect(
            problem(.credential("wg0.key")) == "there is no credential 'wg0.key': CREDENTIALS_DIRECTORY is not set")
    }

    // MARK: check and run

    /// A configuration with the key files `k` and `p`, and one peer with the public key `peerKey`.
    private func loaded(peerKey: String = Fixtures.keys[0]) throws -> LoadedConfiguration {
        let text = """
            fullbore: 1
            interfaces:
              wg0:
                private-key: { file: k }
                peers:
                  berlin:
                    public-key: \(peerKey)
                    preshared-key: { file: p }

            """
        let source = SourceText(file: "\(folder)/router.yaml", bytes: Array(text.utf8))
        return try ConfigurationFile.load(source, stages: Fixtures.stages)
    }

    private func check(_ loaded: LoadedConfiguration, for purpose: KeyCheck.Purpose) -> (failed: Bool, report: String) {
        let keys = KeyFile(configuration: "\(folder)/router.yaml", credentials: nil)
        do throws(ConfigurationReport) {
            return (false, try KeyCheck.check(loaded, keys, for: purpose).description.replacing(folder, with: "DIR"))
        } catch {
            return (true, error.description.replacing(folder, with: "DIR"))
        }
    }

    @Test func `good keys leave nothing to say`() throws {
        _ = (write("k", Self.key), write("p", Self.key))
        #expect(try check(loaded(), for: .running) == (false, ""))
        #expect(try check(loaded(), for: .checking) == (false, ""))
    }

    @Test func `what is wrong with a key is told where the file refers to it, all at once`() throws {
        _ = write("k", Self.key, mode: 0o644)
        let report = """
            DIR/router.yaml:4:18: others than its owner may use the key 'DIR/k' (mode 0644): chmod 600 'DIR/k'
                private-key: { file: k }
                             ^
            DIR/router.yaml:8:24: cannot read the key 'DIR/p': no such file
                    preshared-key: { file: p }
                                   ^
            """
        #expect(try check(loaded(), for: .running) == (true, report))
        #expect(try check(loaded(), for: .checking) == (true, report))
    }

    @Test func `P-8.5: a peer with the interface's own key is an error`() throws {
        _ = (write("k", Self.key), write("p", Self.key))
        let report = """
            DIR/router.yaml:7:21: peer 'berlin' has the public key of 'wg0' itself
                    public-key: \(String(repeating: "*", count: 44))
                                ^
            """
        #expect(try check(loaded(peerKey: Self.publicKey), for: .checking) == (true, report))
    }

    /// Root may read everything, so this thread is somebody else while it looks; for any other user it is the mode.
    @Test func `a key that this user may not read is a note in check and an error in run`() throws {
        let mode: mode_t = geteuid() == 0 ? 0o600 : 0
        _ = (write("k", Self.key, mode: mode), write("p", Self.key, mode: mode))
        unsafe chmod(folder, 0o755)
        let loaded = try loaded()
        let fileUser = FileUser()
        let setUser = try #require(fileUser)
        let (checked, run) = setUser.nobody { (check(loaded, for: .checking), check(loaded, for: .running)) }
        #expect(
            checked
                == (
                    false,
                    """
                    DIR/router.yaml:4:18: note: cannot read the key 'DIR/k': no permission to read it
                        private-key: { file: k }
                                     ^
                    DIR/router.yaml:8:24: note: cannot read the key 'DIR/p': no permission to read it
                            preshared-key: { file: p }
                                           ^
                    """
                ))
        #expect(run.failed)
        #expect(run.report == checked.report.replacing("note: ", with: ""))
    }
}

/// The user as whom this thread opens files (setfsuid(2)), which Glibc's module does not show.
private struct FileUser {
    private let set: @convention(c) (uid_t) -> CInt

    init?() {
        guard let symbol = unsafe dlsym(nil, "setfsuid") else { return nil }
        unsafe set = unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> CInt).self)
    }

    /// Runs `body` as nobody; does not change the user of a process that may not.
    func nobody<Result>(_ body: () -> Result) -> Result {
        let nobody: uid_t = 65534
        let own = set(nobody)
        defer { _ = set(uid_t(bitPattern: own)) }
        return body()
    }
}
