import Crypto
import Wire

/// What is taken is written so that it is taken again, for the same.
func fuzzText(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    if let address = IPAddress(text) { demand(IPAddress("\(address)") == address, "address \(address)") }
    if let prefix = Prefix(text) { demand(Prefix("\(prefix)") == prefix, "prefix \(prefix)") }
    if let endpoint = Endpoint(text) { demand(Endpoint("\(endpoint)") == endpoint, "endpoint \(endpoint)") }
    for form in [KeyText.base64, .hex] {
        guard let key = PublicKey(form, text) else { continue }
        demand(PublicKey(base64: key.base64) == key && PublicKey(hex: key.hex) == key, "key \(key)")
    }
}
