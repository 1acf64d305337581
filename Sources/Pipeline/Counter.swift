/// What a stage says of one of its counters.
public protocol CounterDeclaration: Sendable {
    /// Its name in reports, kebab-case.
    var name: String { get }
    /// What it counts.
    var meaning: String { get }
    /// Whether it goes down too.
    var isGauge: Bool { get }
}

/// A number that a stage, or a part of one, keeps. It is declared once: what the stage says of itself and what it reports both
/// come from here, so that a name cannot differ.
public struct Counter<Owner>: CounterDeclaration {
    public let name: String
    public let meaning: String
    public let isGauge: Bool
    let value: @Sendable (Owner) -> UInt64

    /// `value` is where it stands. One that is no gauge never goes down.
    public init(
        _ name: String, _ meaning: String, isGauge: Bool = false, value: @escaping @Sendable (Owner) -> UInt64
    ) {
        self.name = name
        self.meaning = meaning
        self.isGauge = isGauge
        self.value = value
    }
}
