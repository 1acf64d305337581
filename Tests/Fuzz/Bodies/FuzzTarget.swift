/// What is fuzzed. Each target takes any bytes at all, and ends the process where something that must hold does not.
///
/// `etc/fuzz` runs them under libFuzzer; the ordinary suite replays what is in Tests/Fuzz/corpus and Tests/Fuzz/crashes.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// The inner IP packet: its length, its header, ECN, and the ICMP that answers it.
    case innerPacket = "inner-packet"
    /// A frame from a TUN device: virtio header, then cutting it up.
    case offload
    /// Packets for a TUN device: joining them, and what the kernel makes of it.
    case coalescing
    /// The four messages, to an engine with sessions and one without.
    case messages
    /// Two ends, and an attacker who does as the input says with what goes between them.
    case exchange
    /// The UAPI's text.
    case uapi
    /// A router file.
    case yaml
    /// Addresses, prefixes, endpoints and keys as people write them.
    case text
    /// The kernel's answers to netlink requests.
    case netlink

    package func run(_ input: [UInt8]) {
        switch self {
        case .innerPacket: fuzzInnerPacket(input)
        case .offload: fuzzOffload(input)
        case .coalescing: fuzzCoalescing(input)
        case .messages: fuzzMessages(input)
        case .exchange: Exchange.run(input)
        case .uapi: fuzzUAPI(input)
        case .yaml: fuzzYAML(input)
        case .text: fuzzText(input)
        case .netlink: fuzzNetlink(input)
        }
    }
}

/// Ends the process with a word about what does not hold: a crash is what a fuzzer looks for.
func demand(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { fatalError(what()) }
}
