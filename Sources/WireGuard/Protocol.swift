import Wire

/// The numbers of the WireGuard paper (Donenfeld, NDSS 2017) and of the protocol as deployed. Ours are in Limits.swift.
package enum Protocol {
    // §5.4: the names that seed the handshake hash and label the MAC keys.
    static let construction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
    static let identifier = "WireGuard v1 zx2c4 Jason@zx2c4.com"
    static let labelMAC1 = "mac1----"
    static let labelCookie = "cookie--"

    // §6.1: times and counts.
    package static let rekeyAfterTime = Interval.seconds(120)
    package static let rejectAfterTime = Interval.seconds(180)
    package static let rekeyAttemptTime = Interval.seconds(90)
    package static let rekeyTimeout = Interval.seconds(5)
    package static let keepaliveTimeout = Interval.seconds(10)
    package static let rekeyAfterMessages: UInt64 = 1 << 60
    /// The last counters are never reached, so that the replay window never wraps (P-4.1).
    package static let rejectAfterMessages = UInt64.max - UInt64(ReplayWindow.size) - 1

    /// 165 s after a session was made, an initiator who only receives asks for the next one, so that the handshake is
    /// over before the old session ends at 180 s (P-5.7).
    static let rekeyOnReceiveAfter = rejectAfterTime - keepaliveTimeout - rekeyTimeout
    /// Keys not replaced for so long are wiped (P-5.4).
    static let zeroKeysAfter = rejectAfterTime + rejectAfterTime + rejectAfterTime
    /// Retransmissions before an attempt is given up: 90 s / 5 s (P-5.9).
    static let handshakeRetries = Int(rekeyAttemptTime.nanoseconds / rekeyTimeout.nanoseconds)
    /// Retransmissions are spread over a third of a second (P-5.1).
    static let jitterBound = Interval.milliseconds(333)

    // §5.4.7 and its deployed margin (P-3.4, P-3.5).
    static let cookieLifetime = Interval.seconds(120)
    static let cookieLatency = Interval.seconds(5)

    /// Under load lasts so much longer than the load itself (P-3.9).
    static let underLoadAfter = Interval.seconds(1)
    /// What one address may begin under load once it has shown a cookie: 20 handshakes a second, 5 at once (P-3.12).
    static let handshakesPerSource: UInt64 = 20
    static let handshakeBurstPerSource: UInt64 = 5

    /// At most 50 initiations a second are taken from one peer (P-2.9).
    static let initiationSpacing = Interval.milliseconds(20)

    /// The outer traffic class of initiations and responses: DSCP AF41, as the kernel's (P-4.20).
    static let handshakeTrafficClass: UInt8 = 0x88

    /// Plaintext is padded to a multiple of this (§5.4.6).
    static let paddingMultiple = 16
}
