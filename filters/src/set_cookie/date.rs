//! The dates of `Expires` as browsers read them, whatever wrote them (RFC 6265bis section 5.1.1).

use time::{Date, Month, Time};

/// What a date's parts are found to be.
#[derive(Default)]
struct Parts {
    time: Option<Time>,
    day: Option<u8>,
    month: Option<Month>,
    year: Option<i32>,
}

const MONTHS: [(&[u8; 3], Month); 12] = [
    (b"jan", Month::January),
    (b"feb", Month::February),
    (b"mar", Month::March),
    (b"apr", Month::April),
    (b"may", Month::May),
    (b"jun", Month::June),
    (b"jul", Month::July),
    (b"aug", Month::August),
    (b"sep", Month::September),
    (b"oct", Month::October),
    (b"nov", Month::November),
    (b"dec", Month::December),
];

/// Seconds since 1970; none when the text is no date.
pub(crate) fn cookie_date(text: &[u8]) -> Option<i64> {
    let mut parts = Parts::default();
    for token in text.split(|byte| is_delimiter(*byte)) {
        if !token.is_empty() {
            parts.take(token)?;
        }
    }
    let year = match parts.year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    if year < 1601 {
        return None;
    }
    let date = Date::from_calendar_date(year, parts.month?, parts.day?).ok()?;
    Some(date.with_time(parts.time?).assume_utc().unix_timestamp())
}

const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2F | 0x3B..=0x40 | 0x5B..=0x60 | 0x7B..=0x7E)
}

impl Parts {
    /// Takes a token for the first part that is still missing and that it can be. None when it is a time that
    /// no clock shows.
    fn take(&mut self, token: &[u8]) -> Option<()> {
        if self.time.is_none()
            && let Some((hour, minute, second)) = clock(token)
        {
            self.time = Some(Time::from_hms(hour, minute, second).ok()?);
        } else if self.day.is_none()
            && let Some(day) = number(token, 1, 2)
        {
            self.day = Some(u8::try_from(day).ok()?);
        } else if self.month.is_none()
            && let Some(month) = month(token)
        {
            self.month = Some(month);
        } else if self.year.is_none() {
            self.year = number(token, 2, 4);
        }
        Some(())
    }
}

/// So many digits, and nothing or something that is no digit behind them.
fn number(token: &[u8], least: usize, most: usize) -> Option<i32> {
    let digits = token
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits < least || digits > most {
        return None;
    }
    let digits = token.get(..digits)?;
    Some(
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + i32::from(digit - b'0')),
    )
}

/// `hh:mm:ss` with one or two digits each.
fn clock(token: &[u8]) -> Option<(u8, u8, u8)> {
    let mut fields = token.splitn(3, |byte| *byte == b':');
    let (hour, minute, second) = (fields.next()?, fields.next()?, fields.next()?);
    let whole = |field: &[u8]| field.iter().all(u8::is_ascii_digit);
    if !whole(hour) || !whole(minute) {
        return None;
    }
    let field = |text: &[u8]| number(text, 1, 2).and_then(|number| u8::try_from(number).ok());
    Some((field(hour)?, field(minute)?, field(second)?))
}

fn month(token: &[u8]) -> Option<Month> {
    let name = token.get(..3)?.to_ascii_lowercase();
    let known = MONTHS.iter().find(|(known, _)| known.as_slice() == name);
    known.map(|(_, month)| *month)
}
