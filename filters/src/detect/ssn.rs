//! United States social security numbers: three, two and four digits, none of which is all zeros and
//! whose area was never reserved (not 666, not 900 and above).

use super::digits::{Digits, group_starts};
use super::view::{View, is_word};
use super::words::{Topic, topic_before};
use super::{Detector, Found};

pub(super) fn find(view: View<'_>, found: &mut Vec<Found>) {
    for start in group_starts(view) {
        if let Some(end) = ends(view, start) {
            found.push(Found::closed(Detector::UsSsn, start, end));
        }
    }
}

fn ends(view: View<'_>, start: usize) -> Option<usize> {
    let before = view.before(start);
    let joined = |byte: u8| matches!(byte, b'-' | b'.' | b'/');
    if is_word(before) || joined(before) && is_word(view.before(start - 1)) {
        return None;
    }
    let digits = Digits::read(view, start, 1, |byte| matches!(byte, b' ' | b'-' | b'.'));
    let end = digits.end(9);
    let after = view.at(end);
    if digits.count() < 9 || is_word(after) || joined(after) && is_word(view.at(end + 1)) {
        return None;
    }
    let mut parts = [0_u32; 3];
    for (number, digit) in digits.first(9).iter().enumerate() {
        let part = usize::from(number >= 3) + usize::from(number >= 5);
        if let Some(part) = parts.get_mut(part) {
            *part = *part * 10 + u32::from(*digit);
        }
    }
    let [area, group, serial] = parts;
    let may_be_issued = !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0;
    let (first, second) = (digits.separator(view, 3), digits.separator(view, 5));
    let written = if digits.are_grouped(9, &[3, 2, 4]) && first == second {
        first == b'-' || topic_before(view, start) == Some(Topic::Ssn)
    } else {
        digits.are_grouped(9, &[9]) && topic_before(view, start) == Some(Topic::Ssn)
    };
    (may_be_issued && written).then_some(end)
}
