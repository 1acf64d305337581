public import Synchronization

/// A value that one thread at a time may touch: `Mutex`, in a way that ThreadSanitizer sees.
///
/// The library that has `Mutex` is not compiled for ThreadSanitizer, so that everything behind one would look like a race to it.
/// What one thread has done before it gives the lock back has happened before what the next one does: that is what it
/// is told, by the address of the lock. In other builds there is nothing here but `Mutex`.
public struct Guarded<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>

    @inlinable public init(_ value: consuming sending Value) { mutex = Mutex(value) }

    @inlinable
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        #if THREAD_SANITIZER
            let address = unsafe withUnsafePointer(to: mutex) { UInt(bitPattern: $0) }
            return try mutex.withLock { value throws(Failure) -> sending Result in
                lockTaken(address)
                defer { lockGivenBack(address) }
                return try body(&value)
            }
        #else
            try mutex.withLock(body)
        #endif
    }
}

#if THREAD_SANITIZER
    // Of the runtime (sanitizer/tsan_interface.h); each takes one pointer.
    @_silgen_name("__tsan_acquire") @usableFromInline func lockTaken(_ address: UInt)
    @_silgen_name("__tsan_release") @usableFromInline func lockGivenBack(_ address: UInt)
#endif
