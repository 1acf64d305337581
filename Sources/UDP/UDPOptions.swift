/// How an interface's sockets are to be.
package struct UDPOptions: Sendable {
    /// The port of both families; 0 lets the kernel choose (P-6.5).
    package var port: UInt16
    /// SO_MARK of what is sent; 0 for none (P-6.6).
    package var mark: UInt32
    /// Send runs with UDP_SEGMENT where the kernel has it (X-9: operators can switch it off).
    package var segmentation: Bool
    /// Receive runs with UDP_GRO where the kernel has it.
    package var coalescing: Bool
    /// How the kernel finds the worker that a datagram is for; nil spreads by addresses and ports.
    package var steering: UDPSteering?

    package init(
        port: UInt16 = 0, mark: UInt32 = 0, segmentation: Bool = true, coalescing: Bool = true,
        steering: UDPSteering? = nil
    ) {
        self.steering = steering
        self.port = port
        self.mark = mark
        self.segmentation = segmentation
        self.coalescing = coalescing
    }
}
