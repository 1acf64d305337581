/// A list of rules: where the kernel hands packets over (`base`), or where other rules jump to.
package struct Chain: Hashable, Sendable {
    package let name: String
    /// nil for a chain that is only jumped to.
    package var base: Base?
    package var rules: [Rule]

    package init(_ name: String, _ base: Base? = nil, rules: [Rule] = []) {
        self.name = name
        self.base = base
        self.rules = rules
    }

    /// Where in the kernel a chain is called, and what becomes of a packet that no rule decides on.
    package struct Base: Hashable, Sendable {
        package var kind: Kind
        package var hook: Hook
        package var priority: Priority
        package var policy: Policy

        package init(_ kind: Kind = .filter, hook: Hook, priority: Priority, policy: Policy = .accept) {
            self.kind = kind
            self.hook = hook
            self.priority = priority
            self.policy = policy
        }
    }

    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case filter
        /// Sees the first packet of each flow only.
        case nat
        /// At `output`: looks the route up again after a change.
        case route
    }

    /// In the order of `enum nf_inet_hooks` (linux/netfilter.h).
    package enum Hook: UInt32, Hashable, Sendable, CaseIterable {
        case prerouting, input, forward, output, postrouting
    }

    package enum Policy: UInt32, Hashable, Sendable {
        case drop, accept
    }

    /// Chains of one hook are called in ascending order; the names are nft's.
    package struct Priority: Hashable, Sendable, RawRepresentable {
        package var rawValue: Int32

        package init(rawValue: Int32) { self.rawValue = rawValue }

        package static let raw = Priority(rawValue: -300)
        package static let mangle = Priority(rawValue: -150)
        package static let destinationNAT = Priority(rawValue: -100)
        package static let filter = Priority(rawValue: 0)
        package static let security = Priority(rawValue: 50)
        package static let sourceNAT = Priority(rawValue: 100)

        package static func + (priority: Priority, offset: Int32) -> Priority {
            Priority(rawValue: priority.rawValue &+ offset)
        }

        package static func - (priority: Priority, offset: Int32) -> Priority {
            Priority(rawValue: priority.rawValue &- offset)
        }
    }
}
