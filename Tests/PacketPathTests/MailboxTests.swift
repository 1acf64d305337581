import Pipeline
import Synchronization
import Testing
import Wire

@testable import PacketPath

@Suite struct MailboxTests {
    private final class Calls: Sendable {
        private let count = Atomic(0)
        func add() { count.wrappingAdd(1, ordering: .relaxed) }
        var value: Int { count.load(ordering: .relaxed) }
    }

    @Test func itWakesOnceUntilItIsEmptied() {
        let calls = Calls()
        let mailbox = Mailbox { calls.add() }
        _ = mailbox.send(Parcel())
        _ = mailbox.send(Parcel())
        mailbox.post { _, _ in }
        #expect(calls.value == 1)
        #expect(mailbox.collect().parcels.count == 2)
        mailbox.post { _, _ in }
        #expect(calls.value == 2)
        #expect(mailbox.collect().errands.count == 1)
        #expect(mailbox.collect().parcels.isEmpty && mailbox.collect().errands.isEmpty)
    }

    /// P-4.14.
    @Test func parcelsComeInOrderAndAreBounded() {
        let mailbox = Mailbox()
        let parcels = (0..<Mailbox.parcelBound + 3).map { _ in Parcel() }
        let sent = parcels.map { mailbox.send($0).sent }
        #expect(sent == Array(repeating: true, count: Mailbox.parcelBound) + [false, false, false])
        let collected = mailbox.collect().parcels
        #expect(zip(collected, parcels).allSatisfy { $0 === $1 } && collected.count == Mailbox.parcelBound)
        #expect(mailbox.send(Parcel()).sent)
    }

    @Test func emptyParcelsGoBackToWhoSends() {
        let mailbox = Mailbox()
        let parcel = Parcel()
        #expect(mailbox.send(parcel).empty == nil)
        mailbox.giveBack(mailbox.collect().parcels)
        #expect(mailbox.send(Parcel()).empty === parcel)
        #expect(mailbox.send(Parcel()).empty == nil)
    }

    @Test func aBatchIsSortedByOwnerIntoOneParcelEachAndOrderHolds() {
        let mailboxes = (0..<3).map { _ in Mailbox() }
        let pool = BufferPool()
        var handoff = Handoff(worker: 1, mailboxes: mailboxes, pool: pool)
        var batch = PacketBatch(pool: pool)
        batch.interface = InterfaceID(4)
        batch.now = Instant(nanoseconds: 5)
        for number in 0..<30 {
            batch.append(Packet(pool.take(.small), count: number))
            batch[number].peer = PeerID(number % 4)
        }
        // The fourth peer is nobody's: it stays.
        handoff.sort(&batch, .outbound) { $0.peer.index < 3 ? $0.peer.index : nil }
        func counts(_ batch: borrowing PacketBatch) -> [Int] { (0..<batch.count).map { batch[$0].count } }
        #expect(counts(batch) == (0..<30).filter { [1, 3].contains($0 % 4) })
        for (worker, residue) in [(0, 0), (2, 2)] {
            let parcels = mailboxes[worker].collect().parcels
            #expect(parcels.count == 1)
            for parcel in parcels {
                #expect(counts(parcel.batch) == (0..<30).filter { $0 % 4 == residue })
                let interface = parcel.batch.interface
                #expect(interface == InterfaceID(4) && parcel.direction == .outbound)
            }
        }
        #expect(mailboxes[1].collect().parcels.isEmpty)
        #expect(handoff.handedOver == 15)
        #expect(handoff.drops[.mailboxFull] == 0)
    }

    @Test func whatFindsTheMailboxFullIsCountedInPackets() {
        let mailboxes = (0..<2).map { _ in Mailbox() }
        for _ in 0..<Mailbox.parcelBound { _ = mailboxes[1].send(Parcel()) }
        let pool = BufferPool()
        var handoff = Handoff(worker: 0, mailboxes: mailboxes, pool: pool)
        var batch = PacketBatch(pool: pool)
        for _ in 0..<3 {
            batch.append(Packet(pool.take(.large), count: 1040))
            batch[batch.count - 1].offload = Offload(
                segmentation: .tcp, needsChecksum: true, headerLength: 40, segmentSize: 100, checksumStart: 20,
                checksumOffset: 16)
        }
        handoff.sort(&batch, .outbound) { _ in 1 }
        let left = batch.count
        #expect(left == 0)
        #expect(handoff.drops[.mailboxFull] == 30)
        #expect(handoff.handedOver == 0)
        for _ in 0..<3 { batch.append(Packet(pool.take(.large), count: 1)) }
        #expect(pool.allocations == 3, "the buffers were spare again")
    }
}
