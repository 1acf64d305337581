/// What a stage begins as: one that drops packets which are larger than an option says, and counts the others. It has one
/// of everything, so that beginning is changing.
enum StageTemplate {
    /// Types within it whose names the stage cannot have itself.
    static let types: Set = ["Drop", "Options", "PeerOptions"]

    /// As in etc/bench.d/stages: its options there, the peer's, what goes to the peer, and the most instructions that it may
    /// take for a packet. As it is begun it takes 43.
    static let cost = "| {} | - | packet | 50"

    static func stage(_ name: String, _ type: String) -> String {
        """
        import Pipeline
        import Wire

        /// Drops packets that are larger than its option says.
        package final class \(type): PluginStage {
            package static let declaration = StageDeclaration(
                name: "\(name)", summary: "drops packets that are too large",
                outbound: Passage(needs: [.plaintext, .peer]), inbound: Passage(needs: [.plaintext, .peer]),
                counters: counters, drops: Drop.self)

            private static let counters: [Counter<\(type)>] = [
                Counter("packets-passed", "packets that were small enough") { $0.passed }
            ]

            package enum Drop: Int, DropReason {
                case tooLarge
                package var name: String { "too-large" }
            }

            package struct Options: OptionRecord {
                let largest: Int

                package init?(_ options: inout OptionReader) {
                    largest = options.optional(
                        "largest", default: 65_535, in: 0...65_535, help: "the bytes of the largest packet that passes")
                }
            }
            /// What stands under the stage's name in a peer.
            package typealias PeerOptions = Options

            private var standard: Options
            private var peers = PeerTable<Options>()
            private var passed: UInt64 = 0
            private var drops = DropCounters<Drop>()

            package init(_ options: Options, _ environment: StageEnvironment) { standard = options }

            package func outbound(_ batch: inout PacketBatch) { filter(&batch) }
            package func inbound(_ batch: inout PacketBatch) { filter(&batch) }

            private func filter(_ batch: inout PacketBatch) {
                batch.filter { packet in
                    let options = peers[packet.peer] ?? standard
                    guard packet.largestSegment <= options.largest else { return .drop(drops.count(packet, .tooLarge)) }
                    passed += UInt64(packet.wirePackets)
                    return .pass
                }
            }

            package func set(_ peer: PeerID, _ options: Options?) { peers[peer] = options }
            package func remove(_ peer: PeerID) { peers[peer] = nil }

            package func reconfigure(_ options: Options) -> Bool {
                standard = options
                return true
            }

            package var report: StageReport { StageReport(Self.counters, of: self, drops: drops.report) }
        }

        """
    }

    static func tests(_ name: String, _ type: String) -> String {
        let imports = ["Pipeline", "StageTestKit", "Testing", "Wire", type].sorted().map { "import \($0)" }
        return """
            \(imports.joined(separator: "\n"))

            struct \(type)Tests {
                @Test func `a packet that is too large is dropped, and counted`() throws {
                    let bench = try StageBench(\(type).self, "{ largest: 100 }")
                    let peer = try bench.set(0)
                    bench.outbound([.udp(payload: 72), .udp(payload: 73)], peer)
                    #expect(bench.takeDown().packets == [.udp(payload: 72)])
                    bench.expect(dropped: \(type).Drop.tooLarge, counters: ["packets-passed": 1])
                }

                @Test func `a super-packet is measured by its segments`() throws {
                    let bench = try StageBench(\(type).self, "{ largest: 1000 }")
                    let peer = try bench.set(0)
                    let fitting = TestPacket.tcp(payload: 9600) { $0.segmentSize = 960 }
                    bench.outbound([fitting, .tcp(payload: 9610) { $0.segmentSize = 961 }], peer)
                    #expect(bench.takeDown().packets == [fitting])
                    bench.expect(dropped: \(type).Drop.tooLarge, 10, counters: ["packets-passed": 10])
                }

                @Test func `a peer's own options stand instead of the pipeline's`() throws {
                    let bench = try StageBench(\(type).self)
                    let (narrow, other) = (try bench.set(0, "{ largest: 0 }"), try bench.set(1))
                    bench.inbound([.udp()], narrow)
                    bench.inbound([.udp()], other)
                    #expect(bench.takeUp().peers == [other])
                    bench.expect(dropped: \(type).Drop.tooLarge, counters: ["packets-passed": 1])
                }

                @Test func `its options change in place`() throws {
                    let bench = try StageBench(\(type).self, "{ largest: 10 }")
                    let peer = try bench.set(0)
                    #expect(try bench.reconfigure("{ largest: 1000 }"))
                    bench.outbound([.udp(from: "fd00::1", to: "fd00::2")], peer)
                    #expect(bench.takeDown().packets == [.udp(from: "fd00::1", to: "fd00::2")])
                    bench.expect(counters: ["packets-passed": 1])
                }
            }

            """
    }

    static func page(_ name: String) -> String {
        """
        # \(name)

        ## Name

        `\(name)` drops packets that are too large.

        ## Description

        A path stage. A super-packet is measured by the longest of its segments.

        It needs plaintext and the packet's peer: put it between `allowed-ips` and `wireguard`.

        ## Configuration

        In the pipeline, for every peer, and under `\(name)` in a peer, for that peer alone (instead of the pipeline's):

        | key | default | value |
        | --- | --- | --- |
        | `largest` | `65535` | the bytes of the largest packet that passes, from 0 to 65535 |

        ## Examples

        ```yaml
        fullbore: 1
        pipeline:
          - tun
          - allowed-ips
          - \(name): { largest: 1280 }
          - wireguard
          - udp
        interfaces:
          wg0:
            private-key: { file: wg0.key }
            peers:
              phone:
                public-key: "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
                allowed-ips: [10.80.0.2/32]
                \(name): { largest: 600 }
        ```

        ## Counters

        | counter | counts |
        | --- | --- |
        | `packets-passed` | packets that were small enough; a super-packet counts as its segments |

        | drop | because |
        | --- | --- |
        | `too-large` | the packet is larger than `largest` |

        """
    }
}
