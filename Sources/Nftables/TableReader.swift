import CNftables
import Linux

/// What the kernel tells of tables: messages to values, without a socket. It trusts nothing of them, unlike libnftnl, which
/// ends the process when an attribute is not what it expects.
enum TableReader {
    /// The number of the message that tells of one thing.
    static func number(_ type: nf_tables_msg_types) -> CInt {
        CInt(NFNL_SUBSYS_NFTABLES) << 8 | CInt(type.rawValue)
    }

    static func generation(in message: NetlinkMessage) -> UInt32? {
        guard message.type == number(NFT_MSG_NEWGEN) else { return nil }
        var generation: UInt32?
        forEachAttribute(message) { if $0.type == Int(NFTA_GEN_ID.rawValue) { generation = $0.number() } }
        return generation
    }

    /// Adds what the message tells of `table` to its contents; nothing for other tables.
    static func read(_ message: NetlinkMessage, of table: String, into contents: inout TableContents) {
        switch message.type {
        case number(NFT_MSG_NEWTABLE): readTable(message, table, &contents)
        case number(NFT_MSG_NEWCHAIN): readChain(message, table, &contents)
        case number(NFT_MSG_NEWRULE): readRule(message, table, &contents)
        case number(NFT_MSG_NEWSET): readSet(message, table, &contents)
        case number(NFT_MSG_NEWOBJ): readObject(message, table, &contents)
        default: break
        }
    }

    private static func forEachAttribute(_ message: NetlinkMessage, _ body: (NetlinkAttribute) -> Void) {
        message.forEachAttribute(after: MemoryLayout<nfgenmsg>.size, body)
    }

    private static func readTable(_ message: NetlinkMessage, _ table: String, _ contents: inout TableContents) {
        var (name, owner, flags, handle): (String?, UInt32?, UInt32, UInt64) = (nil, nil, 0, 0)
        var comment = ""
        forEachAttribute(message) {
            switch $0.type {
            case Int(NFTA_TABLE_NAME.rawValue): name = $0.text
            case Int(NFTA_TABLE_FLAGS.rawValue): flags = $0.number() ?? 0
            case Int(NFTA_TABLE_HANDLE.rawValue): handle = $0.number() ?? 0
            case Int(NFTA_TABLE_USERDATA.rawValue): comment = QuotedText.comment(in: $0.bytes)
            case Int(NFTA_TABLE_OWNER.rawValue): owner = $0.number()
            default: break
            }
        }
        guard name == table else { return }
        contents.exists = true
        contents.handle = handle
        contents.comment = comment
        contents.owner = owner
        contents.isDormant = flags & NFT_TABLE_F_DORMANT.rawValue != 0
    }

    private static func readChain(_ message: NetlinkMessage, _ table: String, _ contents: inout TableContents) {
        var (owner, name, kind): (String?, String?, String?) = (nil, nil, nil)
        var (handle, hook, priority, policy): (UInt64?, UInt32?, UInt32?, UInt32?) = (nil, nil, nil, nil)
        forEachAttribute(message) {
            switch $0.type {
            case Int(NFTA_CHAIN_TABLE.rawValue): owner = $0.text
            case Int(NFTA_CHAIN_NAME.rawValue): name = $0.text
            case Int(NFTA_CHAIN_HANDLE.rawValue): handle = $0.number()
            case Int(NFTA_CHAIN_TYPE.rawValue): kind = $0.text
            case Int(NFTA_CHAIN_POLICY.rawValue): policy = $0.number()
            case Int(NFTA_CHAIN_HOOK.rawValue):
                $0.forEachNested {
                    switch $0.type {
                    case Int(NFTA_HOOK_HOOKNUM.rawValue): hook = $0.number()
                    case Int(NFTA_HOOK_PRIORITY.rawValue): priority = $0.number()
                    default: break
                    }
                }
            default: break
            }
        }
        guard owner == table, let name, let handle else { return }
        var base: Chain.Base?
        if let kind = kind.flatMap(Chain.Kind.init), let hook = hook.flatMap(Chain.Hook.init), let priority {
            base = Chain.Base(
                kind, hook: hook, priority: Chain.Priority(rawValue: Int32(bitPattern: priority)),
                policy: policy.flatMap(Chain.Policy.init) ?? .accept)
        }
        contents.chains.append(TableContents.Chain(name: name, handle: handle, base: base, isBase: hook != nil))
    }

    private static func readRule(_ message: NetlinkMessage, _ table: String, _ contents: inout TableContents) {
        var (owner, chain, handle): (String?, String?, UInt64?) = (nil, nil, nil)
        var comment = ""
        forEachAttribute(message) {
            switch $0.type {
            case Int(NFTA_RULE_TABLE.rawValue): owner = $0.text
            case Int(NFTA_RULE_CHAIN.rawValue): chain = $0.text
            case Int(NFTA_RULE_HANDLE.rawValue): handle = $0.number()
            case Int(NFTA_RULE_USERDATA.rawValue): comment = QuotedText.comment(in: $0.bytes)
            default: break
            }
        }
        guard owner == table, let chain, let handle else { return }
        contents.rules.append(TableContents.Rule(chain: chain, handle: handle, comment: comment))
    }

    private static func readObject(_ message: NetlinkMessage, _ table: String, _ contents: inout TableContents) {
        var (owner, name, type): (String?, String?, UInt32?) = (nil, nil, nil)
        var value = CounterValue()
        forEachAttribute(message) {
            switch $0.type {
            case Int(NFTA_OBJ_TABLE.rawValue): owner = $0.text
            case Int(NFTA_OBJ_NAME.rawValue): name = $0.text
            case Int(NFTA_OBJ_TYPE.rawValue): type = $0.number()
            case Int(NFTA_OBJ_DATA.rawValue):
                $0.forEachNested {
                    switch $0.type {
                    case Int(NFTA_COUNTER_PACKETS.rawValue): value.packets = $0.number() ?? 0
                    case Int(NFTA_COUNTER_BYTES.rawValue): value.bytes = $0.number() ?? 0
                    default: break
                    }
                }
            default: break
            }
        }
        guard owner == table, let name, let type else { return }
        if type == TablePlan.counterType {
            contents.counters[name] = value
        } else {
            contents.otherObjects.insert(TableContents.Object(name: name, type: type))
        }
    }
}
