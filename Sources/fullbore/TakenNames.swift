/// Names that a stage cannot have in Swift because others, which no file of the checkout declares, have them: the module of
/// such a stage would not be built, or its class would stand before what files mean by the name.
enum TakenNames {
    /// Who has the name; nil when nobody has.
    static func owner(of name: String) -> String? {
        if language.contains(name) { return "the language" }
        if modules.contains(name) { return "a module of Swift" }
        if library.contains(name) { return "Swift's standard library" }
        if dependencies.contains(name) { return "a package that Fullbore uses" }
        return StageTemplate.types.contains(name) ? "what a stage begins as" : nil
    }

    private static let language: Set = ["Any", "Protocol", "Self", "Type"]

    /// Those of the toolchain on Linux, and of the package manager.
    private static let modules: Set = [
        "Builtin", "Cxx", "CxxStdlib", "Dispatch", "Distributed", "Foundation", "FoundationEssentials",
        "FoundationInternationalization", "FoundationNetworking", "Glibc", "Musl", "Observation", "PackageDescription",
        "PackagePlugin", "RegexBuilder", "Runtime", "Swift", "SwiftOnoneSupport", "Synchronization", "Testing",
    ]

    /// Targets of packages share one space of names.
    private static let dependencies: Set = [
        "ArgumentParser", "ArgumentParserToolInfo", "GenerateDoccReference", "GenerateManual", "InMemoryLogging",
        "Logging",
    ]

    /// Types and protocols that files of a stage, of its tests and of the registry may mean by their bare names.
    private static let library: Set = [
        "Actor", "AnyClass", "AnyHashable", "AnyObject", "AnySequence", "Array", "ArraySlice", "AsyncSequence",
        "AsyncStream", "BidirectionalCollection", "BinaryFloatingPoint", "BinaryInteger", "BitwiseCopyable", "Bool",
        "CaseIterable", "Character", "Clock", "ClosedRange", "Codable", "CodingKey", "Collection", "CollectionOfOne",
        "CommandLine", "Comparable", "ContiguousArray", "ContinuousClock", "Copyable", "CustomDebugStringConvertible",
        "CustomStringConvertible", "Decodable", "Decoder", "Dictionary", "Double", "Duration", "EmptyCollection",
        "Encodable",
        "Encoder", "Equatable", "Error", "Escapable", "FixedWidthInteger", "Float", "Float32", "Float64",
        "FloatingPoint",
        "Hashable", "Hasher", "Identifiable", "InlineArray", "Int", "Int128", "Int16", "Int32", "Int64", "Int8",
        "IteratorProtocol", "KeyPath", "LazySequence", "MainActor", "MemoryLayout", "Mirror", "MutableCollection",
        "MutableRawSpan", "MutableSpan", "Never", "Numeric", "ObjectIdentifier", "OpaquePointer", "OptionSet",
        "Optional",
        "OutputSpan", "PartialRangeFrom", "PartialRangeThrough", "PartialRangeUpTo", "RandomAccessCollection",
        "RandomNumberGenerator", "Range", "RangeExpression", "RangeReplaceableCollection", "RangeSet",
        "RawRepresentable",
        "RawSpan", "Regex", "Repeated", "Result", "ReversedCollection", "Sendable", "SendableMetatype", "Sequence",
        "Set",
        "SetAlgebra", "SignedInteger", "SignedNumeric", "Slice", "Span", "StaticString", "Strideable", "String",
        "StringProtocol", "Substring", "SystemRandomNumberGenerator", "Task", "TaskGroup", "UInt", "UInt128", "UInt16",
        "UInt32", "UInt64", "UInt8", "Unicode", "Unmanaged", "UnsafeBufferPointer", "UnsafeMutableBufferPointer",
        "UnsafeMutablePointer", "UnsafeMutableRawBufferPointer", "UnsafeMutableRawPointer", "UnsafePointer",
        "UnsafeRawBufferPointer", "UnsafeRawPointer", "UnsignedInteger", "Void",
    ]
}
