//! Points in time as numbers: counted from the beginning of 1970 in UTC, without leap seconds (POSIX).
//!
//! Guarantees: the answer depends on the year, or the year and month, of the point in time alone. Points
//! outside of the years 1 to 9999 of the Gregorian calendar are none.

use postern_config::action::{DatePart, EpochUnit};

const SECONDS_A_DAY: i128 = 86_400;
/// The days from 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: i128 = 719_468;
/// The days of 400 years, after which the calendar repeats.
const DAYS_OF_400_YEARS: i128 = 146_097;

/// When the year or month of a point in time began, in the same unit.
pub(super) fn began(time: i128, part: DatePart, unit: EpochUnit) -> Option<i128> {
    let a_day = match unit {
        EpochUnit::Seconds => SECONDS_A_DAY,
        EpochUnit::Millis => SECONDS_A_DAY * 1000,
    };
    let (year, month) = year_and_month(time.div_euclid(a_day))?;
    let month = match part {
        DatePart::Year => 1,
        DatePart::Month => month,
    };
    first_day(year, month).checked_mul(a_day)
}

/// The year and month of a day, counted from 1970-01-01.
///
/// Years are counted from March on here, so that a leap day is the last of its year.
fn year_and_month(day: i128) -> Option<(i128, i128)> {
    let day = day.checked_add(DAYS_BEFORE_1970)?;
    let (era, day) = (
        day.div_euclid(DAYS_OF_400_YEARS),
        day.rem_euclid(DAYS_OF_400_YEARS),
    );
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let (month, next) = match from_march {
        0..10 => (from_march + 3, 0),
        _ => (from_march - 9, 1),
    };
    let year = era * 400 + year + next;
    (1..=9999).contains(&year).then_some((year, month))
}

/// The first day of a month, counted from 1970-01-01.
fn first_day(year: i128, month: i128) -> i128 {
    let (year, from_march) = match month {
        3.. => (year, month - 3),
        _ => (year - 1, month + 9),
    };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let days = 365 * year + year / 4 - year / 100 + (153 * from_march + 2) / 5;
    era * DAYS_OF_400_YEARS + days - DAYS_BEFORE_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every day of the years 1 to 9999, counted one by one, against the arithmetic.
    #[test]
    fn every_day_of_ten_thousand_years_has_its_year_and_month() {
        let mut day = first_day(1, 1);
        for year in 1..=9999 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let february = if leap { 29 } else { 28 };
            let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(lengths) {
                assert_eq!(first_day(year, month), day, "{year}-{month}");
                for _ in 0..length {
                    assert_eq!(year_and_month(day), Some((year, month)), "day {day}");
                    day += 1;
                }
            }
        }
        assert_eq!(first_day(1970, 1), 0);
        assert_eq!(year_and_month(first_day(1, 1) - 1), None);
        assert_eq!(year_and_month(day), None);
    }
}
