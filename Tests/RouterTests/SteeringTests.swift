import Crypto
import Linux
import Pipeline
import Testing
import UDP
import Wire
import WireGuard

@Suite struct SteeringTests {
    /// The kernel's program and `IndexSpace` are written twice and have to agree: real sockets on loopback.
    @Test(arguments: [2, 3, 4], ["127.0.0.1", "::1"])
    func theKernelPutsADatagramIntoTheSocketOfItsReceiversOwner(workers: Int, address: String) throws {
        let indices = IndexSpace(workers: workers, entropy: .predictableForTests(seed: UInt64(workers)))
        let options = UDPOptions(steering: UDPSteering(key: indices.key, shift: IndexSpace.shift))
        let sockets = try UDPSockets.open(options, workers: workers)
        let sender = try UDPSockets.open(UDPOptions(), workers: 1)
        let isIPv6 = address.contains(":")
        if isIPv6, sockets.missingIPv6 != nil { return }
        let remote = Endpoint(address: try #require(IPAddress(address)), port: sockets.port)

        let entropy = Entropy.predictableForTests(seed: 9)
        let sent = Set((0..<200).map { _ in entropy.uint32() })
        let pool = BufferPool()
        var batch = PacketBatch(pool: pool)
        batch.now = Clocks.now()
        for index in sent {
            let packet = Packet(pool.take(.small), count: 32)
            unsafe packet.bytes.initializeMemory(as: UInt8.self, repeating: 0, count: 32)
            unsafe packet.bytes.storeBytes(of: UInt32(4).littleEndian, as: UInt32.self)
            unsafe packet.bytes.storeBytes(of: index.littleEndian, toByteOffset: 4, as: UInt32.self)
            batch.append(packet)
            batch[batch.count - 1].path = Path(remote: remote)
        }
        sender.ports[0].send(&batch)

        var got: [UInt32: Int] = [:]
        let deadline = Clocks.now() + .seconds(5)
        while got.count < sent.count, Clocks.now() < deadline {
            for (worker, port) in sockets.ports.enumerated() {
                port.receive(into: &batch)
                for entry in 0..<batch.count {
                    let size = batch[entry].datagramSize > 0 ? batch[entry].datagramSize : batch[entry].count
                    for offset in stride(from: 0, to: batch[entry].count, by: max(1, size)) {
                        let index = unsafe batch[entry].bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                        got[UInt32(littleEndian: index)] = worker
                    }
                }
                batch.removeAll()
            }
        }
        #expect(Set(got.keys) == sent)
        for (index, worker) in got { #expect(worker == indices.owner(of: index)) }
        #expect(Set(got.values).count == workers, "each of them owns some")
    }
}
