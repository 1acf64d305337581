import Crypto

/// Bytes of one line of the UAPI, lent for a call: a secret may be among them.
@safe struct UAPILine {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    var isEmpty: Bool { unsafe bytes.isEmpty }
    var isOne: Bool { unsafe bytes.elementsEqual("1".utf8) }
    var isTrue: Bool { unsafe bytes.elementsEqual("true".utf8) }

    /// For what is no secret: a string cannot be wiped.
    var text: String { unsafe String(decoding: bytes, as: UTF8.self) }

    /// The key in front of the first `=`, and what is behind it.
    var assignment: (key: String, value: UAPILine)? {
        guard let equals = unsafe bytes.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let key = unsafe String(decoding: bytes[..<equals], as: UTF8.self)
        return (key, unsafe UAPILine(UnsafeRawBufferPointer(rebasing: bytes[(equals + 1)...])))
    }

    /// Decimal digits alone.
    func number<Number: FixedWidthInteger & UnsignedInteger>() -> Number? {
        guard !isEmpty else { return nil }
        var number: Number = 0
        for index in unsafe bytes.indices {
            let byte = unsafe bytes[index]
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = product.addingReportingOverflow(Number(byte - UInt8(ascii: "0")))
            guard !isTooLarge, !isStillTooLarge else { return nil }
            number = sum
        }
        return number
    }

    func secret() -> Secret? { unsafe Secret(.hex, bytes) }
}
