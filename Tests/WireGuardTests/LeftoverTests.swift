import Crypto
import Foundation
import Glibc
import Support
import Testing

@testable import WireGuard

/// Secrets are in their own memory and nowhere else, and when they are not needed any more nowhere at all (P-2.20, P-9.7, S-13).
///
/// In a process of its own, where nobody else's secrets are: everything that stands in the memory for secrets is looked for.
@Suite struct LeftoverTests {
    #if ADDRESS_SANITIZER || THREAD_SANITIZER
        private static let isSanitized = true
    #else
        private static let isSanitized = false
    #endif

    @Test(.disabled(if: isSanitized, "a sanitizer maps terabytes of its own, and keeps what was freed"))
    func `P-2.20 S-13 secrets leave no copies, neither while they live nor behind them`() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let scan = MemoryScan()
            try talk(scan)
            report(scan.find(excluding: []), "left behind")
            // What would have been found.
            let leak = UnsafeMutableRawPointer.allocate(byteCount: MemoryScan.needleSize, alignment: 1)
            unsafe scan.copyNeedle(to: leak)
            let found = Set(scan.find(excluding: []))
            if found != [UInt(bitPattern: leak)] { report(Array(found), "found beside a leak") }
        }
        let problems = try #require(result).standardErrorContent
        #expect(String(decoding: problems, as: UTF8.self) == "")
    }
}

/// Two tunnels find together and end; at each stage there are secrets of its own: the initiator's ephemeral key, the
/// chaining key, then the sessions'.
private func talk(_ scan: MemoryScan) throws {
    let pair = try TalkingTunnels()
    noteSecrets(scan)
    try pair.send(from: 0)
    noteSecrets(scan)
    try pair.exchange(noting: { noteSecrets(scan) })
    if scan.count < 12 { complain("only \(scan.count) secrets") }
    report(scan.find(excluding: SecretMemory.shared.ranges), "a copy of a living secret")
}

private func complain(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

private func report(_ places: [UInt], _ what: String) {
    guard !places.isEmpty else { return }
    let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
    for place in places {
        let mapping = maps.split(separator: "\n").first { line in
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            return ends.count == 2 && place >= ends[0] && place < ends[1]
        }
        complain("\(what): \(String(place, radix: 16)) in \(mapping ?? "?")")
    }
}

/// Has all that stands in the memory for secrets looked for.
private func noteSecrets(_ scan: MemoryScan) {
    for range in SecretMemory.shared.ranges {
        for address in stride(from: range.lowerBound, to: range.upperBound, by: SecretMemory.slotSize) {
            if let slot = unsafe UnsafeRawPointer(bitPattern: address) { unsafe scan.look(for: slot) }
        }
    }
}

/// Two tunnels with a preshared key, and what is under way between them.
private final class TalkingTunnels {
    private var tunnels: [Tunnel] = []
    private var peers: [Tunnel.PeerHandle] = []
    private var wire: [(to: Int, bytes: [UInt8])] = []
    private let now = Tunnel.Instant(nanoseconds: 1_000_000_000_000)

    init() throws {
        var made: [Tunnel] = []
        for _ in 0..<2 {
            made.append(Tunnel(privateKey: .generate(), wallTime: .init(seconds: 1_700_000_000), at: now))
        }
        let shared = Tunnel.PresharedKey.generate()
        for side in 0..<2 {
            let address: [UInt8] = [192, 0, 2, UInt8(2 - side)]
            peers.append(
                try made[side].addPeer(
                    publicKey: made[1 - side].publicKey, presharedKey: shared,
                    endpoint: Tunnel.Endpoint(address: address.span, port: 51_820), at: now))
        }
        tunnels = made
    }

    func send(from side: Int) throws {
        var packet = [UInt8](repeating: 0, count: 40)
        packet[0] = 0x45
        packet[3] = 40
        try tunnels[side].send(packet, to: peers[side], at: now)
        collect()
    }

    func exchange(noting note: () -> Void) throws {
        while !wire.isEmpty {
            let next = wire.removeFirst()
            let address: [UInt8] = [192, 0, 2, UInt8(2 - next.to)]
            guard let endpoint = Tunnel.Endpoint(address: address.span, port: 51_820) else { return }
            _ = tunnels[next.to].receive(next.bytes, from: endpoint, at: now)
            collect()
            note()
        }
    }

    private func collect() {
        for side in tunnels.indices {
            while let output = tunnels[side].nextOutput() {
                if case .send(let bytes, to: _) = output { wire.append((1 - side, bytes)) }
            }
        }
    }
}
