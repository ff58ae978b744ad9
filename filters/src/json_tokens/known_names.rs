//! What the names of members say, remembered: a list of cases has the same few names in each of them.
//!
//! PERF: to compare a name with all that tokens go by takes longer than everything else that is done with a member.

use crate::token_rules::Says;

/// How many names are remembered. Two that fall into one place take turns in it.
const PLACES: usize = 64;

/// See the module's documentation.
#[derive(Default)]
pub(super) struct KnownNames(Vec<Known>);

#[derive(Clone, Default)]
struct Known {
    name: Vec<u8>,
    says: Option<Says>,
}

impl KnownNames {
    /// What a name says, by `of` if it is not remembered.
    pub(super) fn says(
        &mut self,
        name: &[u8],
        of: impl FnOnce(&[u8]) -> Option<Says>,
    ) -> Option<Says> {
        if self.0.is_empty() {
            self.0.resize(PLACES, Known::default());
        }
        let Some(known) = self.0.get_mut(place(name)) else {
            return of(name);
        };
        if known.name != name {
            known.says = of(name);
            known.name.clear();
            known.name.extend_from_slice(name);
        }
        // An empty place remembers the empty name, which says nothing.
        known.says
    }
}

/// The place of a name: by its length, its ends and its middle, which differ in most names that stand together.
fn place(name: &[u8]) -> usize {
    let at = |index: usize| name.get(index).copied().map_or(0, usize::from);
    let length = name.len();
    let mixed = [length, at(0), at(length / 2), at(length.saturating_sub(1))];
    mixed.iter().fold(0_usize, |mixed, part| {
        mixed.wrapping_mul(7).wrapping_add(*part)
    }) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_asked_about_once_while_it_has_its_place() {
        let mut known = KnownNames::default();
        let mut asked = 0;
        let mut says = |name: &[u8]| {
            known.says(name, |name| {
                asked += 1;
                name.starts_with(b"t").then_some(Says::Token)
            })
        };
        for _again in 0..3 {
            assert_eq!(says(b"token"), Some(Says::Token));
            assert_eq!(says(b"id"), None);
            assert_eq!(says(b""), None);
        }
        assert_eq!(asked, 2);
    }

    #[test]
    fn names_in_one_place_are_told_apart() {
        let (one, other) = (b"t-a-e".as_slice(), b"tXaXe".as_slice());
        assert_eq!(place(one), place(other));
        let mut known = KnownNames::default();
        let of = |name: &[u8]| (name == b"t-a-e").then_some(Says::Token);
        for _again in 0..2 {
            assert_eq!(known.says(one, of), Some(Says::Token));
            assert_eq!(known.says(other, of), None);
        }
    }
}
