import CLinux
import Glibc
import Wire

/// The headers of one recvmmsg or sendmmsg: allocated once, each message with its one iovec, its address and its
/// control memory.
@safe struct MessageVector: ~Copyable {
    let capacity: Int
    private let messages: UnsafeMutablePointer<clinux_mmsghdr>
    private let parts: UnsafeMutablePointer<iovec>
    private let addresses: UnsafeMutableRawPointer
    private let controls: UnsafeMutableRawPointer

    init(capacity: Int) {
        self.capacity = capacity
        unsafe messages = .allocate(capacity: capacity)
        unsafe parts = .allocate(capacity: capacity)
        unsafe addresses = .allocate(byteCount: capacity * SocketAddress.capacity, alignment: 8)
        unsafe controls = .allocate(byteCount: capacity * ControlMessage.capacity, alignment: 8)
        for index in 0..<capacity {
            unsafe (parts + index).initialize(to: iovec())
            var header = unsafe msghdr()
            unsafe header.msg_iov = unsafe parts + index
            unsafe header.msg_iovlen = 1
            unsafe header.msg_name = unsafe addresses + index * SocketAddress.capacity
            unsafe header.msg_control = unsafe controls + index * ControlMessage.capacity
            unsafe (messages + index).initialize(to: clinux_mmsghdr(header: header, length: 0))
        }
    }

    deinit {
        unsafe messages.deallocate()
        unsafe parts.deallocate()
        unsafe addresses.deallocate()
        unsafe controls.deallocate()
    }

    // MARK: Receiving

    /// Makes message `index` ready to take up to `count` bytes at `bytes`.
    mutating func prepareToReceive(_ index: Int, at bytes: UnsafeMutableRawPointer, count: Int) {
        unsafe (parts + index).pointee = iovec(iov_base: bytes, iov_len: count)
        unsafe messages[index].header.msg_namelen = socklen_t(SocketAddress.capacity)
        unsafe messages[index].header.msg_controllen = ControlMessage.capacity
        unsafe messages[index].header.msg_flags = 0
    }

    /// Receives into the first `count` messages; how many came, or -1 with `errno`.
    mutating func receive(from socket: CInt, count: Int) -> Int {
        Int(unsafe clinux_recvmmsg(socket, messages, UInt32(count), CInt(MSG_DONTWAIT)))
    }

    /// How many bytes message `index` has brought.
    func receivedCount(_ index: Int) -> Int { Int(unsafe messages[index].length) }

    /// Whether some of the bytes or of the control data had no room.
    func isTruncated(_ index: Int) -> Bool {
        unsafe messages[index].header.msg_flags & CInt(MSG_TRUNC | MSG_CTRUNC) != 0
    }

    func sender(_ index: Int) -> Endpoint? {
        unsafe SocketAddress.load(
            from: addresses + index * SocketAddress.capacity, count: messages[index].header.msg_namelen)
    }

    func receivedControl(_ index: Int) -> ReceivedControl {
        unsafe ReceivedControl(
            controls + index * ControlMessage.capacity, count: Int(messages[index].header.msg_controllen))
    }

    // MARK: Sending

    /// Makes message `index` the `count` bytes at `bytes`, to be cut into datagrams of `segmentSize` bytes unless that
    /// is 0. The bytes stay where they are until it is sent.
    mutating func prepareToSend(
        _ index: Int, bytes: UnsafeMutableRawPointer, count: Int, to remote: Endpoint, from local: LocalAddress?,
        trafficClass: UInt8, segmentSize: Int
    ) {
        unsafe (parts + index).pointee = iovec(iov_base: bytes, iov_len: count)
        let address = unsafe addresses + index * SocketAddress.capacity
        unsafe messages[index].header.msg_namelen = SocketAddress.store(remote, to: address)
        var control = unsafe ControlWriter(controls + index * ControlMessage.capacity)
        if let local { control.append(source: local) }
        if trafficClass != 0 { control.append(trafficClass: trafficClass, remote.address.family) }
        if segmentSize > 0 { control.append(segmentSize: UInt16(truncatingIfNeeded: segmentSize)) }
        unsafe messages[index].header.msg_controllen = control.count
    }

    /// Sends `count` messages from `first` on; how many went, or -1 with `errno` when the first one did not.
    mutating func send(to socket: CInt, first: Int, count: Int) -> Int {
        Int(unsafe clinux_sendmmsg(socket, messages + first, UInt32(count), CInt(MSG_DONTWAIT)))
    }
}
