import Linux
import Support
import TUN
import Testing
import Wire

@testable import Router

/// What is told of links, and for how long it holds.
@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)")) struct LinkWatchTests {
    @Test func `what was seen before an interface went is past, also when another one has its number`() throws {
        let held = try PrivateNetwork.run { () throws -> [Bool] in
            let device = try #require(try TUNDevice.open(name: "wg0", offloads: []).first)
            let interface = LinkWatch.Interface(id: InterfaceID(0), tun: try #require(device.descriptor))
            let watch = try LinkWatch([interface])
            var held: [Bool] = []
            try watch.run { id, _, _, isCurrent in
                held.append(isCurrent())
                guard held.count == 1 else { return watch.stop() }
                watch.remove(id)
                held.append(isCurrent())
                watch.add(interface)
                held.append(isCurrent())
            }
            return held
        }
        #expect(held == [true, false, false, true])
    }
}
