import CSodium

/// Comparisons whose time tells nothing about what they compare (P-9.6).
package enum ConstantTime {
    @inlinable package static func equal(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, count: Int) -> Bool {
        unsafe sodium_memcmp(a, b, count) == 0
    }

    @inlinable package static func isZero(_ a: UnsafeRawPointer, count: Int) -> Bool {
        unsafe sodium_is_zero(a.octets, count) == 1
    }
}
