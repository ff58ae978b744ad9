//! IP addresses: four numbers up to 255 with points between (not a version of something), and version 6
//! in any of its spellings (RFC 4291 section 2.2) with at least three groups.

use memchr::memmem;

use super::digits::group_starts;
use super::view::{View, is_word};
use super::words::{Topic, word_before};
use super::{Detector, Found};

/// The longest spelling of an address of version 6.
const V6_LENGTH_MAX: usize = 45;

pub(super) fn find(view: View<'_>, found: &mut Vec<Found>) {
    for start in group_starts(view) {
        if let Some(end) = v4(view, start) {
            found.push(Found::closed(Detector::Ip, start, end));
        }
    }
    let mut start = 0;
    while start < view.len() {
        let end = v6(view, start);
        if let Some(end) = end {
            found.push(Found::closed(Detector::Ip, start, end));
        }
        start = end.unwrap_or(start + 1);
    }
}

fn v4(view: View<'_>, start: usize) -> Option<usize> {
    let before = view.before(start);
    if is_word(before) || matches!(before, b'.' | b'-') && is_word(view.before(start - 1)) {
        return None;
    }
    let mut at = start;
    for number in 0..4 {
        if number > 0 {
            if view.at(at) != b'.' {
                return None;
            }
            at += 1;
        }
        let end = view.run(at, 4, |byte| byte.is_ascii_digit());
        let digits = view.span(at, end);
        let value = digits
            .iter()
            .fold(0_u32, |value, digit| value * 10 + u32::from(digit - b'0'));
        let padded = digits.len() > 1 && digits.first() == Some(&b'0');
        if !(1..=3).contains(&digits.len()) || value > 255 || padded {
            return None;
        }
        at = end;
    }
    let goes_on = match view.at(at) {
        b'.' => view.at(at + 1).is_ascii_digit(),
        b'-' => view.at(at + 1).is_ascii_alphabetic(),
        after => is_word(after),
    };
    (!goes_on && word_before(view, start) != Some(Topic::Version)).then_some(at)
}

fn v6(view: View<'_>, start: usize) -> Option<usize> {
    let first = view.at(start);
    let before = view.before(start);
    if !(first.is_ascii_hexdigit() || first == b':') || is_word(before) || before == b':' {
        return None;
    }
    let inside = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let longest = view.run(start, V6_LENGTH_MAX + 1, inside);
    let mut end = longest;
    // What ends a sentence is not part of it.
    while matches!(view.before(end), b'.' | b':') && view.span(end.saturating_sub(2), end) != b"::"
    {
        end -= 1;
    }
    if end <= start || is_word(view.at(longest)) {
        return None;
    }
    let text = view.span(start, end);
    if text.iter().filter(|byte| **byte == b':').count() < 2 {
        return None;
    }
    let groups = text
        .split(|byte| *byte == b':')
        .filter(|group| !group.is_empty());
    let (mut count, mut longest) = (0, 0);
    for group in groups {
        count += 1;
        longest = longest.max(group.len());
    }
    let has_digit = text.iter().any(u8::is_ascii_digit);
    let mapped = text.contains(&b'.');
    let fits = (count >= 3 || mapped) && longest >= 3 && has_digit && is_v6(text);
    fits.then_some(end)
}

/// Whether a text is an address: eight groups, or fewer around one `::`; the last two may be written as
/// an address of version 4.
fn is_v6(text: &[u8]) -> bool {
    match memmem::find(text, b"::") {
        None => groups(text, true) == Some(8),
        Some(gap) => {
            let (before, after) = text.split_at(gap);
            let after = after.get(2..).unwrap_or_default();
            let count = (groups(before, false), groups(after, true));
            matches!(count, (Some(before), Some(after)) if before + after <= 7)
        }
    }
}

/// How many groups a part of an address has; none when it is no such part.
fn groups(text: &[u8], last: bool) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let mut count = 0;
    let mut rest = text.split(|byte| *byte == b':').peekable();
    while let Some(group) = rest.next() {
        let hex = (1..=4).contains(&group.len()) && group.iter().all(u8::is_ascii_hexdigit);
        let four = last && rest.peek().is_none() && v4(View::new(group), 0) == Some(group.len());
        count += match (hex, four) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => return None,
        };
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        for text in [
            "2001:db8::1",
            "::1",
            "::",
            "1::",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::2::3",
            "::ffff:192.0.2.1",
            "1:2:3:4:5:6:192.0.2.1",
            "::192.0.2.256",
            "12345::1",
            ":1::2",
            "1:::2",
            "1:",
            ":1",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1:2:3:4::5:6:7:8",
            "fe80::1ff:fe23:4567:890a",
        ] {
            let expected = text.parse::<std::net::Ipv6Addr>().is_ok();
            assert_eq!(is_v6(text.as_bytes()), expected, "{text}");
        }
    }
}
