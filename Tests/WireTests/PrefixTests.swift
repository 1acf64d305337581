import Testing
import Wire

@Suite struct PrefixTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.1.0.0/16", true), ("10.1.2.0/24", "10.1.2.0/24", true), ("10.1.2.3", "0.0.0.0/0", true),
        ("10.1.2.0/25", "10.1.2.128/25", false), ("10.0.0.0/8", "11.0.0.0/8", false), ("::/0", "0.0.0.0/0", false),
        ("fd00::/8", "fd00:1::/64", true), ("fd00:1::/64", "fd00:1:0:1::/64", false),
    ])
    func `prefixes overlap when they have an address in common`(_ a: String, _ b: String, _ overlap: Bool) throws {
        let (a, b) = (try #require(Prefix(a)), try #require(Prefix(b)))
        #expect(a.overlaps(b) == overlap)
        #expect(b.overlaps(a) == overlap)
    }
}
