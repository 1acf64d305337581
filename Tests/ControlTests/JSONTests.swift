import Foundation
import Testing

@testable import Control

/// JSON that is written by hand against that of Foundation.
struct JSONTests {
    private static func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test func `a status is written as JSONEncoder writes it`() throws {
        var json = JSONWriter()
        RouterStatus.sample.write(to: &json)
        #expect(try String(decoding: json.bytes, as: UTF8.self) == Self.encoded(RouterStatus.sample))
    }

    /// A field that is added to the type and forgotten by the writer is missed by the test above only where the sample has it.
    @Test func `the sample has every field`() throws {
        let peer = try #require(RouterStatus.sample.interfaces.first?.peers.first)
        #expect(peer.endpoint != nil && peer.latestHandshake != nil)
        #expect(RouterStatus.sample.stages.contains { !$0.counters.isEmpty && !$0.drops.isEmpty })
    }

    @Test(arguments: ["", "a/b", "\"\\", "\u{0}\u{1f}\u{8}\t\n\u{c}\r\u{7f}", "Zürich 🦊"])
    func `text is escaped as JSONEncoder does`(text: String) throws {
        var json = JSONWriter()
        json.write(text)
        #expect(try String(decoding: json.bytes, as: UTF8.self) == Self.encoded(text))
    }

    @Test func `a layout has a line for each key and each element`() {
        let text = #"{"a":[1,{"b":"x, {\"y\": []}\\"}],"c":{},"d":[]}"#
        let laidOut = """
            {
              "a": [
                1,
                {
                  "b": "x, {\\"y\\": []}\\\\"
                }
              ],
              "c": {},
              "d": []
            }
            """
        #expect(String(decoding: JSONLayout.indented(Array(text.utf8)), as: UTF8.self) == laidOut)
    }

    @Test func `what stands around a status is taken off, and nothing else`() throws {
        let line = ControlProtocol.encode(ControlProtocol.Answer(status: .sample)).dropLast()
        let status = try #require(ControlProtocol.status(in: line))
        #expect(try JSONDecoder().decode(RouterStatus.self, from: status) == .sample)
        #expect(ControlProtocol.status(in: ControlProtocol.encode(ControlProtocol.Answer(error: "no"))) == nil)
    }
}
