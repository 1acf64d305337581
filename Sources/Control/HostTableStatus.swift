/// What a router's rules in nftables have matched: the answer to `firewall`, and the shape of `fullbore show --firewall --json`.
package struct HostTableStatus: Codable, Sendable, Equatable {
    package static let currentVersion = 1

    package var version = HostTableStatus.currentVersion
    package var router: String
    /// Of the family `inet`; nil when the router has none.
    package var table: String?
    /// In the order in which stages and files list them.
    package var rules: [Rule]

    package init(router: String, table: String?, rules: [Rule]) {
        (self.router, self.table, self.rules) = (router, table, rules)
    }

    package struct Rule: Codable, Sendable, Equatable {
        package var stage: String
        /// `router.yaml:31`; empty for what no line says.
        package var line: String
        package var text: String
        /// Its name in the table.
        package var counter: String
        package var packets: UInt64
        package var bytes: UInt64

        package init(stage: String, line: String, text: String, counter: String, packets: UInt64, bytes: UInt64) {
            (self.stage, self.line, self.text) = (stage, line, text)
            (self.counter, self.packets, self.bytes) = (counter, packets, bytes)
        }
    }
}
