import CLinux
import Glibc

/// The device of an interface that is not there (yet, or any more): nothing comes, and nothing can be written.
package final class ClosedTUN: FrameDevice {
    package init() {}

    package var descriptor: CInt? { nil }
    package var offloads: TUNOffloads { [] }

    package func read(into memory: UnsafeMutableRawBufferPointer) -> FrameTransfer { .wouldBlock }
    package func write(_ pieces: UnsafeBufferPointer<iovec>) -> FrameTransfer { .failed(ENODEV) }
}
