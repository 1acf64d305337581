/// A TCP or UDP packet spelled out field by field, and made into bytes the slow and obvious way: nothing here uses the
/// code that it is there to test.
package struct PlainPacket: Sendable {
    package var isIPv6 = false
    package var isTCP = true
    /// The last byte of each address.
    package var source: UInt8 = 1
    package var destination: UInt8 = 2
    package var sourcePort: UInt16 = 40_000
    package var destinationPort: UInt16 = 443
    package var trafficClass: UInt8 = 0
    package var flowLabel: UInt32 = 0
    package var timeToLive: UInt8 = 64
    package var identification: UInt16 = 0
    package var dontFragment = true
    package var ipOptions: [UInt8] = []
    package var sequence: UInt32 = 1000
    package var acknowledgement: UInt32 = 77
    /// ACK unless said otherwise.
    package var flags: UInt8 = 0x10
    package var window: UInt16 = 500
    package var tcpOptions: [UInt8] = []
    package var payload: [UInt8] = []

    package init() {}

    package var headerLength: Int {
        (isIPv6 ? 40 : 20 + ipOptions.count) + (isTCP ? 20 + tcpOptions.count : 8)
    }

    /// The packet with all its checksums.
    package var bytes: [UInt8] {
        var transport = big(sourcePort) + big(destinationPort)
        if isTCP {
            transport += big(sequence) + big(acknowledgement)
            transport += [UInt8((20 + tcpOptions.count) / 4) << 4, flags] + big(window) + [0, 0, 0, 0] + tcpOptions
        } else {
            transport += big(UInt16(truncatingIfNeeded: 8 + payload.count)) + [0, 0]
        }
        transport += payload
        let packet = network(transport.count) + transport
        return PacketOracle.completed(packet)
    }

    private func network(_ count: Int) -> [UInt8] {
        let number: UInt8 = isTCP ? 6 : 17
        if isIPv6 {
            let first = UInt32(6) << 28 | UInt32(trafficClass) << 20 | flowLabel
            let prefix: [UInt8] = [0xfd, 0] + [UInt8](repeating: 0, count: 13)
            return big(first) + big(UInt16(truncatingIfNeeded: count)) + [number, timeToLive] + prefix + [source]
                + prefix + [destination]
        }
        let length = 20 + ipOptions.count
        return [0x40 | UInt8(length / 4), trafficClass] + big(UInt16(truncatingIfNeeded: length + count))
            + big(identification) + [dontFragment ? 0x40 : 0, 0, timeToLive, number, 0, 0] + [10, 0, 0, source]
            + [10, 0, 0, destination] + ipOptions
    }
}

private func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
private func big(_ value: UInt32) -> [UInt8] {
    big(UInt16(value >> 16)) + big(UInt16(truncatingIfNeeded: value))
}
