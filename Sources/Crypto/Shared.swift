/// A secret with several holders, wiped when the last of them lets go: for values that are copied, which a secret is not.
package final class Shared<Value: ~Copyable & Sendable>: Sendable {
    package let value: Value

    package init(_ value: consuming Value) { self.value = value }
}
