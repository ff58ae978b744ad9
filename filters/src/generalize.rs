//! Making values coarser: dates to a year or month, numbers to buckets, codes to a prefix.
//!
//! Guarantees: what comes out says no more than asked for; a value that is not of the expected form
//! gives nothing, and is then redacted. Only ISO 8601 calendar dates in extended format are dates, RFC
//! 3339 timestamps among them; a number is one only where the policy says in which unit.

mod epoch;

use postern_config::Generalize;
use postern_config::action::DatePart;
use unicode_segmentation::UnicodeSegmentation;

use crate::value_action::{Decimal, JsonKind};

/// Whether this generalization reads values of this type.
pub(crate) const fn fits(to: &Generalize, kind: JsonKind) -> bool {
    match to {
        Generalize::Year | Generalize::Month | Generalize::Prefix(_) => {
            matches!(kind, JsonKind::String)
        }
        Generalize::Bucket(_) => matches!(kind, JsonKind::Number),
        Generalize::Epoch(..) => matches!(kind, JsonKind::String | JsonKind::Number),
    }
}

/// A number's bucket by its lower bound, the greatest multiple of the width that is not above it; or
/// the point in time at which its year or month began.
pub(crate) fn number(to: &Generalize, value: &Decimal) -> Option<String> {
    let whole = value.floor()?;
    match to {
        Generalize::Bucket(width) => {
            let above = whole.checked_rem_euclid(i128::from(*width))?;
            Some(whole.checked_sub(above)?.to_string())
        }
        Generalize::Epoch(part, unit) => Some(epoch::began(whole, *part, *unit)?.to_string()),
        Generalize::Year | Generalize::Month | Generalize::Prefix(_) => None,
    }
}

/// A coarser string.
pub(crate) fn string(to: &Generalize, text: &str) -> Option<String> {
    match to {
        Generalize::Year | Generalize::Epoch(DatePart::Year, _) => Some(iso_date(text)?.year),
        Generalize::Month | Generalize::Epoch(DatePart::Month, _) => {
            let date = iso_date(text)?;
            Some(format!("{}-{}", date.year, date.month?))
        }
        Generalize::Prefix(kept) => prefix(text, *kept),
        Generalize::Bucket(_) => None,
    }
}

/// The leading grapheme clusters; nothing when that would be all of them, or none.
fn prefix(text: &str, kept: usize) -> Option<String> {
    let longer = text.graphemes(true).nth(kept).is_some();
    (longer && kept > 0).then(|| text.graphemes(true).take(kept).collect())
}

struct IsoDate {
    year: String,
    month: Option<String>,
}

/// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, and the last with a time after `T` or a space.
fn iso_date(text: &str) -> Option<IsoDate> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map(|part| digits(part, 2));
    let day = parts.next().map(|part| digits(part, 2));
    if parts.next().is_some() {
        return None;
    }
    let valid = match (month, day, time) {
        (None, None, None) => true,
        (Some(month), None, None) => (1..=12).contains(&month?),
        (Some(month), Some(day), time) => {
            (1..=days_in(year, month?)?).contains(&day?) && time.is_none_or(is_time)
        }
        (None, Some(_), _) | (_, None, Some(_)) => false,
    };
    if !valid {
        return None;
    }
    Some(IsoDate {
        year: format!("{year:04}"),
        month: month.flatten().map(|month| format!("{month:02}")),
    })
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

fn days_in(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.fff`, each with nothing, `Z` or an offset after it.
fn is_time(text: &str) -> bool {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (clock, fraction) = match clock.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let fields: Vec<Option<u32>> = clock.split(':').map(|field| digits(field, 2)).collect();
    let clock_ok = match fields.as_slice() {
        [Some(0..=24), Some(0..=59)] => fraction.is_none(),
        [Some(0..=24), Some(0..=59), Some(0..=60)] => true,
        _ => false,
    };
    let fraction_ok =
        fraction.is_none_or(|f| !f.is_empty() && f.bytes().all(|byte| byte.is_ascii_digit()));
    clock_ok && fraction_ok && is_offset(offset)
}

fn is_offset(text: &str) -> bool {
    match text.strip_prefix(['+', '-']) {
        None => text.is_empty() || text.eq_ignore_ascii_case("z"),
        Some(rest) => {
            let plain: String = rest.replacen(':', "", 1);
            digits(&plain, 4).is_some() || digits(rest, 2).is_some()
        }
    }
}
