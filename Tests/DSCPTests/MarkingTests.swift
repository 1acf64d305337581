import DSCP
import Pipeline
import Testing

struct MarkingTests {
    @Test(arguments: [
        ("keep", Marking.keep), ("clear", .set(0)), ("0", .set(0)), ("63", .set(63)), ("ef", .set(46)),
        ("le", .set(1)), ("cs0", .set(0)), ("cs6", .set(48)), ("af11", .set(10)), ("af41", .set(34)),
        ("af43", .set(38)),
    ])
    func `a marking is a word, a name of an RFC, or a number`(_ text: String, _ marking: Marking) throws {
        #expect(try Marking(Value.Scalar(text)) == marking)
        #expect(try Marking(Value.Scalar(marking.optionText)) == marking)
    }

    @Test(arguments: ["", "64", "-1", "af14", "af51", "cs8", "EF", "1.5"])
    func `anything else is refused`(_ text: String) {
        #expect(throws: OptionError.self) { try Marking(Value.Scalar(text)) }
    }
}
