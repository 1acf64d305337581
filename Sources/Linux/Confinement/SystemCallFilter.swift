import CLinux
import Glibc

/// A seccomp filter that lets through a list of system calls and refuses the rest (seccomp(2)).
///
/// For most calls it looks at the number and the architecture alone, so that the kernel keeps the outcome in a bitmap
/// (Linux 5.11) and a call costs nothing more than before. Those with an `ArgumentRule` are none that packets need.
package struct SystemCallFilter: Sendable {
    /// One instruction of the kernel's classic BPF.
    package struct Instruction: Equatable, Sendable {
        var code: UInt16
        var ifTrue: UInt8 = 0
        var ifFalse: UInt8 = 0
        var operand: UInt32
    }

    package let program: [Instruction]

    #if arch(x86_64)
        /// AUDIT_ARCH_X86_64: the calls of another architecture have other numbers.
        static let architecture: UInt32 = 0xc000_003e
    #elseif arch(arm64)
        /// AUDIT_ARCH_AARCH64.
        static let architecture: UInt32 = 0xc000_00b7
    #endif

    /// Offsets in struct seccomp_data.
    static let numberOffset: UInt32 = 0
    static let architectureOffset: UInt32 = 4
    /// Of an argument's lower half; both architectures put it first.
    static func argumentOffset(_ index: Int) -> UInt32 { 16 + 8 * UInt32(index) }

    static let allow: UInt32 = 0x7fff_0000
    static let kill: UInt32 = 0x8000_0000
    static func refuse(_ errno: CInt) -> UInt32 { 0x0005_0000 | UInt32(errno) }

    static let load: UInt16 = 0x20
    static let jumpIfEqual: UInt16 = 0x15
    static let jumpIfGreater: UInt16 = 0x25
    static let jump: UInt16 = 0x05
    static let and: UInt16 = 0x54
    static let returnValue: UInt16 = 0x06

    /// Lets `calls` through, and those of `rules` whose arguments are as they should be. A call that is refused fails with
    /// EPERM; one that may be newer than this list with ENOSYS, so that a library does without.
    package init(
        allowing calls: [CInt] = SystemCalls.ofARunningRouter, _ rules: [ArgumentRule] = ArgumentRule.ofARunningRouter
    ) {
        var program = [
            Instruction(code: Self.load, operand: Self.architectureOffset),
            Instruction(code: Self.jumpIfEqual, ifTrue: 1, operand: Self.architecture),
            Instruction(code: Self.returnValue, operand: Self.kill),
            Instruction(code: Self.load, operand: Self.numberOffset),
        ]
        for call in calls {
            program += [
                Instruction(code: Self.jumpIfEqual, ifFalse: 1, operand: UInt32(call)),
                Instruction(code: Self.returnValue, operand: Self.allow),
            ]
        }
        for call in Set(rules.map(\.call)).sorted() { program += Self.block(call, rules.filter { $0.call == call }) }
        program += [
            // Its arguments stand in memory, where a filter cannot look; glibc then takes clone.
            Instruction(code: Self.jumpIfEqual, ifTrue: 2, operand: UInt32(SYS_clone3)),
            Instruction(code: Self.jumpIfGreater, ifTrue: 1, operand: UInt32(SystemCalls.newest)),
            Instruction(code: Self.returnValue, operand: Self.refuse(EPERM)),
            Instruction(code: Self.returnValue, operand: Self.refuse(ENOSYS)),
        ]
        self.program = program
    }

    /// Instructions that decide about one call by all of its rules, and are jumped over by all others.
    private static func block(_ call: CInt, _ rules: [ArgumentRule]) -> [Instruction] {
        var block: [Instruction] = []
        for rule in rules {
            block += [
                Instruction(code: load, operand: argumentOffset(rule.argument)),
                Instruction(code: and, operand: rule.mask),
            ]
            for (index, value) in rule.values.enumerated() {
                // Over the comparisons that are left and one more: to what is behind the refusal, or to the refusal.
                block.append(
                    Instruction(code: jumpIfEqual, ifTrue: UInt8(rule.values.count - index), operand: value))
            }
            if rule.isForbidden { block.append(Instruction(code: jump, operand: 1)) }
            block.append(Instruction(code: returnValue, operand: refuse(rule.refusal)))
        }
        block.append(Instruction(code: returnValue, operand: allow))
        return [Instruction(code: jumpIfEqual, ifFalse: UInt8(block.count), operand: UInt32(call))] + block
    }

    /// Puts it over all threads of the process, for ever. EINVAL or ENOSYS where the kernel has no seccomp;
    /// `noNewPrivileges` comes first.
    package func install() throws(Errno) {
        var instructions = program.map { sock_filter(code: $0.code, jt: $0.ifTrue, jf: $0.ifFalse, k: $0.operand) }
        let installed = unsafe instructions.withUnsafeMutableBufferPointer { instructions in
            var program = unsafe sock_fprog(len: UInt16(instructions.count), filter: instructions.baseAddress)
            return unsafe clinux_filter_all_threads(&program)
        }
        try Errno.check(installed, "seccomp")
    }
}
