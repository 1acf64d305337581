import Control
import Crypto
import Wire

/// Changes as clients write them.
enum Change {
    /// The lines of one `set=1`; `<name>` stands for the public key of `name`, `{name}` for its private key.
    static func set(_ lines: String...) -> DeviceChange {
        var text = "set=1\n" + lines.map { $0 + "\n" }.joined() + "\n"
        for name in ["a", "b", "c", "d", "e"] {
            text = text.replacing("<\(name)>", with: World.publicKey(name).hex)
            let secret = World.privateKey(name).withText(.hex) { unsafe String(decoding: $0, as: UTF8.self) }
            text = text.replacing("{\(name)}", with: secret)
        }
        guard case .set(let change)? = UAPIParser.operations(in: Array(text.utf8)).first else {
            preconditionFailure("the test's own text is wrong: \(text)")
        }
        return change
    }
}
