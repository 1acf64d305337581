import Wire

/// A prefix whose host bits, which mean nothing, are a warning: perhaps another length was meant.
public struct WrittenPrefix: OptionValue {
    public let prefix: Prefix

    public static var shape: OptionShape { Prefix.shape }

    public static func read(_ value: Value, _ diagnostics: Diagnostics) -> WrittenPrefix? {
        guard let prefix = Prefix.read(value, diagnostics), case .scalar(let scalar) = value.content else { return nil }
        if prefix.address != Prefix.parts(of: scalar.text)?.address {
            let written = Quotation.quote(scalar.text)
            diagnostics.warning("\(written) has host bits set and is taken as \(prefix)", at: value.position)
        }
        return WrittenPrefix(prefix: prefix)
    }
}
