/// Which names an interface can have, for those that come from elsewhere than a file.
package enum InterfaceName {
    /// Why `name` cannot be an interface's, as a sentence; nil when it can.
    package static func problem(_ name: String) -> String? { Names.problem(withInterface: name) }
}
