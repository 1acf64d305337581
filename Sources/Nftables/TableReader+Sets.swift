import CNftables
import Linux

extension TableReader {
    /// A named set. Those without a name come and go with their rules.
    static func readSet(_ message: NetlinkMessage, _ table: String, _ contents: inout TableContents) {
        var (owner, name): (String?, String?) = (nil, nil)
        var (flags, keyType, keyLength): (UInt32, UInt32, UInt32) = (0, 0, 0)
        message.forEachAttribute(after: MemoryLayout<nfgenmsg>.size) {
            switch $0.type {
            case Int(NFTA_SET_TABLE.rawValue): owner = $0.text
            case Int(NFTA_SET_NAME.rawValue): name = $0.text
            case Int(NFTA_SET_FLAGS.rawValue): flags = $0.number() ?? 0
            case Int(NFTA_SET_KEY_TYPE.rawValue): keyType = $0.number() ?? 0
            case Int(NFTA_SET_KEY_LEN.rawValue): keyLength = $0.number() ?? 0
            default: break
            }
        }
        guard owner == table, let name, flags & NFT_SET_ANONYMOUS.rawValue == 0 else { return }
        contents.sets.append(KernelSet(name: name, flags: flags, keyType: keyType, keyLength: Int(keyLength)))
    }

    /// The elements of `set` in a message; marks where the set has beginnings and ends.
    static func readElements(
        _ message: NetlinkMessage, of set: inout KernelSet, table: String, marks: inout [KernelSet.Mark]
    ) {
        guard message.type == number(NFT_MSG_NEWSETELEM) else { return }
        var (owner, name): (String?, String?) = (nil, nil)
        var elements: [Parsed] = []
        message.forEachAttribute(after: MemoryLayout<nfgenmsg>.size) {
            switch $0.type {
            case Int(NFTA_SET_ELEM_LIST_TABLE.rawValue): owner = $0.text
            case Int(NFTA_SET_ELEM_LIST_SET.rawValue): name = $0.text
            case Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue): $0.forEachNested { elements.append(Parsed($0)) }
            default: break
            }
        }
        guard owner == table, name == set.name else { return }
        for element in elements where element.key.count == set.keyLength {
            if set.hasEnds {
                marks.append(KernelSet.Mark(key: element.key, isEnd: element.isEnd))
            } else {
                let last = element.last.count == element.key.count ? element.last : element.key
                set.elements.insert(KernelSet.Element((element.key, last)))
            }
        }
    }

    private struct Parsed {
        var key: [UInt8] = []
        var last: [UInt8] = []
        var isEnd = false

        init(_ attribute: NetlinkAttribute) {
            var parsed = (key: [UInt8](), last: [UInt8](), flags: UInt32(0))
            attribute.forEachNested {
                switch $0.type {
                case Int(NFTA_SET_ELEM_KEY.rawValue): parsed.key = Self.value(in: $0)
                case Int(NFTA_SET_ELEM_KEY_END.rawValue): parsed.last = Self.value(in: $0)
                case Int(NFTA_SET_ELEM_FLAGS.rawValue): parsed.flags = $0.number() ?? 0
                default: break
                }
            }
            key = parsed.key
            last = parsed.last
            isEnd = parsed.flags & NFT_SET_ELEM_INTERVAL_END.rawValue != 0
        }

        private static func value(in attribute: NetlinkAttribute) -> [UInt8] {
            var bytes: [UInt8] = []
            attribute.forEachNested { if $0.type == Int(NFTA_DATA_VALUE.rawValue) { bytes = $0.bytes } }
            return bytes
        }
    }
}

extension KernelSet {
    /// Without its elements.
    init(name: String, flags: UInt32, keyType: UInt32, keyLength: Int) {
        self.name = name
        self.keyType = keyType
        self.keyLength = keyLength
        var types: [UInt32] = []
        var rest = keyType
        while rest != 0 {
            types.insert(rest & 0x3f, at: 0)
            rest >>= 6
        }
        let known = types.map { number in KeyType.allCases.first { $0.number == number } }
        fieldLengths = known.map { $0?.length ?? 0 }
        isHostOrder = known.count == 1 && known[0]?.isHostOrder == true
        hasIntervals = flags & NFT_SET_INTERVAL.rawValue != 0
        let ours = NFT_SET_INTERVAL.rawValue | SetWriter.concatenation
        isForeign = flags & ~ours != 0 || known.contains(nil)
        elements = []
    }
}
