import Pipeline
import Wire

/// How much of a quota is used in the current period of the calendar.
///
/// Periods are those of UTC: days, weeks from Monday on, months. The calendar is looked at once an hour and at each
/// midnight, so that a clock that was set meanwhile is noticed. One that was set back does not begin a period anew; after a day it is believed.
struct QuotaMeter: Equatable {
    private(set) var quota: Quota
    private(set) var used: UInt64 = 0
    /// Its number, counted from 1970.
    private(set) var period: Int64
    /// When to look at the calendar again.
    private(set) var nextLook: Instant

    /// Since when the calendar has been behind the period.
    private var behindSince: Instant?

    /// So long a clock may be behind before it is believed: one that was ahead when a period began would end none for years.
    private static let longestBehind = Interval.seconds(day)
    private static let longestLook: UInt64 = 3600  // s
    private static let day: UInt64 = 86_400  // s

    init(_ quota: Quota, now: Instant, _ wall: WallTime) {
        self.quota = quota
        period = Self.number(of: quota.period, wall)
        nextLook = Self.nextLook(now, wall)
    }

    var isUsedUp: Bool { used >= quota.total.bytes }

    mutating func charge(_ bytes: Int) { used &+= UInt64(bytes) }

    /// Begins the next period where it has come.
    mutating func look(_ now: Instant, _ wall: WallTime) {
        nextLook = Self.nextLook(now, wall)
        let current = Self.number(of: quota.period, wall)
        guard current < period else {
            behindSince = nil
            if current > period { (period, used) = (current, 0) }
            return
        }
        let since = behindSince ?? now
        behindSince = since
        // What is used stays used.
        if now - since >= Self.longestBehind { (period, behindSince) = (current, nil) }
    }

    /// Another quota; what is used stays used, unless it is of another kind of period.
    mutating func change(_ quota: Quota, now: Instant, _ wall: WallTime) {
        guard quota.period == self.quota.period else {
            self = QuotaMeter(quota, now: now, wall)
            return
        }
        self.quota = quota
    }

    // MARK: Over a restart

    /// `month 682 1000`: the period and what is used in it; nil where nothing is.
    var memory: String? { used > 0 ? "\(quota.period.rawValue) \(period) \(used)" : nil }

    /// Goes on from where an earlier run was in the same period. One that seems to be yet to come is the same too: where the
    /// clock is behind, as that of a machine without a battery is when it starts, it gives nothing back.
    mutating func remember(_ memory: String) {
        let fields = memory.split(separator: " ")
        guard fields.count == 3, fields[0] == quota.period.rawValue, let period = Int64(fields[1]),
            let used = UInt64(fields[2]), used <= Int64.max, period >= self.period
        else { return }
        self.period = period
        self.used &+= used
    }

    private static func nextLook(_ now: Instant, _ wall: WallTime) -> Instant {
        let midnight = Interval.seconds(day - wall.seconds % day) - Interval(nanoseconds: UInt64(wall.nanoseconds))
        return now + min(midnight, .seconds(longestLook))
    }

    /// The number of the day, week or month that a moment is in.
    static func number(of period: Quota.Period, _ wall: WallTime) -> Int64 {
        let days = Int64(wall.seconds / day)
        switch period {
        case .day: return days
        case .week: return (days + 3) / 7  // 1970 began on a Thursday
        case .month: return month(ofDay: days)
        }
    }

    /// Months since January 1970 of a day since then, in the Gregorian calendar: years are taken from March on, so that
    /// the day that some have is the last one.
    private static func month(ofDay days: Int64) -> Int64 {
        let (cycle, daysBeforeMarch1970) = (Int64(146_097), Int64(719_468))  // 400 years; 1 March 0000 to 1970
        let sinceMarch0 = days + daysBeforeMarch1970
        let (era, day) = sinceMarch0.quotientAndRemainder(dividingBy: cycle)
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        return (era * 400 + year) * 12 + month + 2 - 1970 * 12
    }
}
