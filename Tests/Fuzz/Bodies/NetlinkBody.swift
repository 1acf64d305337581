import Linux

/// A datagram as it might come from the kernel, read as the answer to each of our questions.
func fuzzNetlink(_ input: [UInt8]) {
    for question in NetlinkReply.Question.allCases { _ = NetlinkReply.read(input, as: question) }
    _ = UeventSocket.saysForked(input[...])
}
