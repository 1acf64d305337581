/// One-shot forms over up to three parts, none of which allocates.
extension BLAKE2s {
    /// Writes the 32-byte hash of the parts one after the other; `output` may be a part's memory.
    package static func hash(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer? = nil,
        _ third: UnsafeRawBufferPointer? = nil, into output: UnsafeMutableRawPointer
    ) {
        var state = BLAKE2s()
        unsafe state.update(first)
        if let second = unsafe second { unsafe state.update(second) }
        if let third = unsafe third { unsafe state.update(third) }
        unsafe state.finish(into: output)
    }

    /// Writes the keyed hash of the parts one after the other: 16 bytes for mac1, mac2 and cookies (P-3.1 to P-3.3).
    package static func mac(
        key: UnsafeRawBufferPointer, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer? = nil,
        outputSize: Int = macSize, into output: UnsafeMutableRawPointer
    ) {
        var state = unsafe BLAKE2s(key: key, outputSize: outputSize)
        unsafe state.update(first)
        if let second = unsafe second { unsafe state.update(second) }
        unsafe state.finish(into: output)
    }
}
