import HostStages
import Pipeline
import Wire

/// Whether what is to be translated goes together.
struct NATChecks {
    private let options: TranslationOptions
    private let context: FileContext
    private let diagnostics: Diagnostics

    init(_ options: TranslationOptions, _ context: FileContext, _ diagnostics: Diagnostics) {
        self.options = options
        self.context = context
        self.diagnostics = diagnostics
    }

    func run() {
        for rule in options.masquerade {
            checkNoHost(rule.value.to)
            checkNoHost(rule.value.from ?? [])
        }
        for forward in options.forwards { check(forward.value) }
        checkOverlaps()
        for mapping in options.oneToOne { check(mapping.value) }
        checkOverlaps(\.outside)
        checkOverlaps(\.inside)
    }

    /// What comes from this host or is for it needs no translation.
    private func checkNoHost(_ texts: [Located<PlaceText>]) {
        _ = context.resolve(texts, diagnostics)
        for text in texts where text.value.text == Zone.host {
            diagnostics.error("'\(Zone.host)' cannot stand here", at: text.position)
        }
    }

    // MARK: Forwards

    private func check(_ forward: Forward) {
        checkNoHost(forward.from)
        let service = forward.service.value
        for text in forward.from where forward.hairpin && context.place(text.value) == .any {
            diagnostics.error(
                "with hairpin, 'from' says who is outside: '\(text.value.text)' leaves nobody inside", at: text.position
            )
        }
        if service.ports.isEmpty {
            diagnostics.error("a forward is of ports, as in tcp/443", at: forward.service.position)
        }
        if forward.target.value.port != nil, service.ports.count > 1 || service.ports.first?.count ?? 0 > 1 {
            diagnostics.error(
                "several ports cannot become one: leave the port out, and they stay", at: forward.target.position)
        }
        if let address = forward.address, address.value.family != forward.target.value.address.family {
            diagnostics.error(
                "\(address.value) and \(forward.target.value) are of two families", at: forward.target.position)
        }
        let listening = context.tunnels.first { tunnel in
            tunnel.listenPort != 0
                && service.overlaps(ServicePorts(ServicePorts.udp, [tunnel.listenPort...tunnel.listenPort]))
        }
        if let listening {
            diagnostics.error(
                "\(Quotation.quote(listening.name)) listens on UDP port \(listening.listenPort), and would hear nothing",
                at: forward.service.position)
        }
    }

    private func checkOverlaps() {
        var names: [String: SourcePosition] = [:]
        for (index, forward) in options.forwards.enumerated() {
            if let name = forward.value.name, let first = names.updateValue(name.position, forKey: name.value) {
                diagnostics.error(
                    "forward \(Quotation.quote(name.value)) is on line \(first.line) already", at: name.position)
            }
            let other = options.forwards[..<index].first { overlap($0.value, forward.value) }
            if let other {
                diagnostics.error(
                    "\(forward.value.service.value) is forwarded to \(other.value.target.value) on line \(other.position.line) already",
                    at: forward.value.service.position)
            }
        }
    }

    private func overlap(_ a: Forward, _ b: Forward) -> Bool {
        guard a.service.value.overlaps(b.service.value) else { return false }
        guard a.target.value.address.family == b.target.value.address.family else { return false }
        if let first = a.address, let second = b.address, first.value != second.value { return false }
        if a.hairpin && b.hairpin { return true }
        return a.from.contains { one in b.from.contains { meet(one.value, $0.value) } }
    }

    /// Whether a packet may come from both.
    private func meet(_ a: PlaceText, _ b: PlaceText) -> Bool {
        switch (context.place(a), context.place(b)) {
        case (.any, _), (_, .any): true
        case (.prefix(let a), .prefix(let b)): a.contains(b) || b.contains(a)
        case (.prefix, _), (_, .prefix): true
        case (let a?, let b?): a == b || isWithin(a, b) || isWithin(b, a)
        default: false
        }
    }

    private func isWithin(_ peer: Place, _ place: Place) -> Bool {
        guard case .peer(let peer) = peer, case .zone(let name) = place, let zone = context.zone(name) else {
            return false
        }
        return zone.holds(interface: peer.tunnel) || context.peers(of: zone).contains(peer)
    }

    // MARK: One to one

    private func check(_ mapping: OneToOne) {
        if let zone = mapping.zone { checkNoHost([zone]) }
        let (outside, inside) = (mapping.outside.value.prefix, mapping.inside.value.prefix)
        if outside.family != inside.family {
            diagnostics.error(
                "\(mapping.outside.value) and \(mapping.inside.value) are of two families", at: mapping.inside.position)
        } else if outside.length != inside.length {
            diagnostics.error(
                "\(mapping.outside.value) and \(mapping.inside.value) are not of one size", at: mapping.inside.position)
        } else if outside.contains(inside) || inside.contains(outside) {
            diagnostics.error("an address cannot stand for itself", at: mapping.inside.position)
        } else if mapping.zone == nil {
            diagnostics.warning(
                "\(mapping.inside.value) is \(mapping.outside.value) everywhere, for peers of tunnels too: say where outside is (zone: wan), or that this is meant (zone: any)",
                at: mapping.outside.position)
        }
    }

    private func checkOverlaps(_ end: KeyPath<OneToOne, Located<NATPrefix>>) {
        for (index, mapping) in options.oneToOne.enumerated() {
            let prefix = mapping.value[keyPath: end]
            let other = options.oneToOne[..<index].map { $0.value[keyPath: end] }.first {
                $0.value.prefix.contains(prefix.value.prefix) || prefix.value.prefix.contains($0.value.prefix)
            }
            guard let other else { continue }
            diagnostics.error(
                "\(prefix.value) overlaps \(other.value) on line \(other.position.line)", at: prefix.position)
        }
    }
}
