//! Dates of the Gregorian calendar, and the day of the week.

/// Seconds of a day.
pub const DAY: i32 = 86_400;

/// Days of 400 years.
const ERA: i32 = 146_097;
/// From 1 March of the year 0 to 1 January 1970.
const FROM_MARCH_0: i32 = 719_468;

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

impl Date {
    /// The date so many days after 1 January 1970, up to two thousand million days from it.
    ///
    /// ```
    /// use umqtt_calendar::Date;
    ///
    /// assert_eq!(Date::from_days(19_782), Date { year: 2024, month: 2, day: 29 });
    /// ```
    pub fn from_days(days: i32) -> Date {
        // Years are counted from March here: so the leap day is the last of its year.
        let days = days.saturating_add(FROM_MARCH_0);
        let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + i32::from(month <= 2);
        Date { year, month: month as u8, day: day as u8 }
    }

    /// Days from 1 January 1970 to it, for years up to five million. A day behind the last of its
    /// month is one of the next.
    pub fn days(self) -> i32 {
        let (month, day) = (i32::from(self.month), i32::from(self.day));
        let year = self.year - i32::from(month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let month = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * month + 2) / 5 + day - 1;
        era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - FROM_MARCH_0
    }

    /// As `yyyy-mm-dd`, for years up to 9999.
    pub fn text(self) -> [u8; 10] {
        let digit = |number: i32, unit: i32| b'0' + (number / unit).rem_euclid(10) as u8;
        let (year, month, day) = (self.year, i32::from(self.month), i32::from(self.day));
        let [y3, y2, y1, y0] = [1000, 100, 10, 1].map(|unit| digit(year, unit));
        let two = |number| [digit(number, 10), digit(number, 1)];
        let ([m1, m0], [d1, d0]) = (two(month), two(day));
        [y3, y2, y1, y0, b'-', m1, m0, b'-', d1, d0]
    }
}

/// The day of the week, 0 for Monday.
pub fn weekday(days: i32) -> u8 {
    // 1 January 1970 was a Thursday.
    ((days.rem_euclid(7) + 3) % 7) as u8
}

/// Whether a year has a 29 February.
pub(crate) fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month.
pub(crate) fn month_len(year: i32, month: u8) -> u8 {
    match month {
        2 => 28 + u8::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_thousand_years_follows_the_one_before() {
        let mut date = Date { year: 1600, month: 1, day: 1 };
        for days in date.days()..(Date { year: 2600, month: 1, day: 1 }).days() {
            assert_eq!((Date::from_days(days), date.days()), (date, days));
            date.day += 1;
            if date.day > month_len(date.year, date.month) {
                (date.day, date.month) = (1, date.month + 1);
            }
            if date.month > 12 {
                (date.month, date.year) = (1, date.year + 1);
            }
        }
    }

    #[test]
    fn days_have_names() {
        assert_eq!(weekday(0), 3);
        assert_eq!(weekday(Date { year: 2000, month: 1, day: 1 }.days()), 5);
        assert_eq!(weekday(-1), 2);
        assert_eq!(&Date { year: 2024, month: 2, day: 9 }.text(), b"2024-02-09");
    }
}
