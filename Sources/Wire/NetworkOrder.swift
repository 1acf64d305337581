/// Loads and stores of header fields at a byte offset, unaligned. `network…` turns between network and host order;
/// `memory…` leaves the bytes as they stand. The caller has checked the length.
extension UnsafeRawPointer {
    @inlinable public func byte(at offset: Int) -> UInt8 {
        unsafe load(fromByteOffset: offset, as: UInt8.self)
    }
    @inlinable public func memoryWord(at offset: Int) -> UInt16 {
        unsafe loadUnaligned(fromByteOffset: offset, as: UInt16.self)
    }
    @inlinable public func memoryLong(at offset: Int) -> UInt32 {
        unsafe loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
    @inlinable public func networkWord(at offset: Int) -> UInt16 {
        UInt16(bigEndian: unsafe memoryWord(at: offset))
    }
    @inlinable public func networkLong(at offset: Int) -> UInt32 {
        UInt32(bigEndian: unsafe memoryLong(at: offset))
    }
}

extension UnsafeMutableRawPointer {
    @inlinable public func storeByte(_ value: UInt8, at offset: Int) {
        unsafe storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
    }
    @inlinable public func storeMemory(_ value: UInt16, at offset: Int) {
        unsafe storeBytes(of: value, toByteOffset: offset, as: UInt16.self)
    }
    @inlinable public func storeNetwork(_ value: UInt16, at offset: Int) {
        unsafe storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }
    @inlinable public func storeNetwork(_ value: UInt32, at offset: Int) {
        unsafe storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }
}
