import Glibc
import Linux
import Pipeline
import TUN
import Testing

/// True where a TUN device can be made; else these tests are skipped, and say why.
private let hasTUN = unsafe geteuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0

/// Real devices, without addresses and never up: no packet passes them.
@Suite(.enabled(if: hasTUN, "needs root and /dev/net/tun"), .serialized) struct TUNDeviceTests {
    /// A name that no one else uses.
    private func uniqueName() -> String { "fb\(getpid() % 1_000_000)t\(Int.random(in: 0..<10_000))" }

    private func exists(_ name: String) -> Bool { unsafe if_nametoindex(name) != 0 }

    /// What opening fails with; nil when it succeeds.
    private func failure(_ name: String, queues: Int = 1) -> TUNError? {
        do {
            _ = try TUNDevice.open(name: name, queues: queues)
            return nil
        } catch {
            return error
        }
    }

    @Test func theInterfaceLivesAsLongAsItsQueues() throws {
        let name = uniqueName()
        do {
            var devices = try TUNDevice.open(name: name, queues: 3)
            #expect(devices.map(\.name) == [name, name, name])
            #expect(Set(devices.compactMap(\.descriptor)).count == 3)
            #expect(exists(name))
            devices.removeFirst()
            #expect(exists(name))
            withExtendedLifetime(devices) {}
        }
        #expect(!exists(name))
    }

    @Test(arguments: [(1, 1), (1, 2), (2, 1), (2, 2)]) func aNameInUseIsRefused(first: Int, second: Int) throws {
        let name = uniqueName()
        let devices = try TUNDevice.open(name: name, queues: first)
        #expect(failure(name, queues: second) == .nameInUse(name))
        #expect(exists(name))
        #expect(TUNError.nameInUse(name).description == "\(name): an interface of this name exists already")
        withExtendedLifetime(devices) {}
    }

    @Test func anInterfaceOfAnotherKindIsInTheWayToo() {
        #expect(failure("lo") == .nameInUse("lo"))
    }

    @Test(arguments: ["a name", "sla/sh", "sixteencharsname", ".", "nul\0"]) func whatIsNoNameIsRefused(name: String) {
        #expect(failure(name) == .invalidName(name))
    }

    @Test func theKernelMayChooseTheName() throws {
        let devices = try TUNDevice.open(name: "fbt%d")
        #expect(devices[0].name.hasPrefix("fbt") && devices[0].name != "fbt%d")
    }

    @Test func asManyOffloadsAsTheKernelHasAreTakenAndNoneWhenNoneAreWanted_X9() throws {
        let all = try TUNDevice.open(name: uniqueName())
        #expect(all[0].offloads.isSuperset(of: .tcp))
        let none = try TUNDevice.open(name: uniqueName(), offloads: [])
        #expect(none[0].offloads == [])
        // Segmentation without checksums isn't something the kernel grants.
        let odd = try TUNDevice.open(name: uniqueName(), offloads: [.tso4])
        #expect(odd[0].offloads == [])
    }

    @Test func aLinkThatIsDownIsACountedDropAndReadingDoesNotSpin() throws {
        let devices = try TUNDevice.open(name: uniqueName())
        let queue = TUNQueue(devices[0])
        var batch = PacketBatch(pool: BufferPool())
        for bytes in stream(5) {
            let packet = Packet(Buffer(.small), count: bytes.count)
            unsafe packet.contents.copyBytes(from: bytes)
            batch.append(packet)
        }
        queue.send(&batch)
        #expect(queue.dropped(.linkDown) == 5)
        #expect(queue.receive(into: &batch) == .drained)
    }
}
