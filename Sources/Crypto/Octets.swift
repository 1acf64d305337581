// libsodium takes bytes as `unsigned char *`, never nil; the rest of the program passes raw pointers around.

extension UnsafeRawPointer {
    @inlinable var octets: UnsafePointer<UInt8> { unsafe assumingMemoryBound(to: UInt8.self) }
}

extension UnsafeMutableRawPointer {
    @inlinable var octets: UnsafeMutablePointer<UInt8> { unsafe assumingMemoryBound(to: UInt8.self) }
}

extension UnsafeRawBufferPointer {
    /// No bytes at a valid address.
    @usableFromInline static var none: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: 16), count: 0)
    }

    /// Where the bytes are; an address that must not be read where there are none.
    @inlinable var octets: UnsafePointer<UInt8> {
        unsafe (baseAddress ?? UnsafeRawBufferPointer.none.baseAddress.unsafelyUnwrapped).octets
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Where the bytes are, in a buffer that is known not to be empty.
    @inlinable var start: UnsafeMutableRawPointer { unsafe baseAddress.unsafelyUnwrapped }
}
