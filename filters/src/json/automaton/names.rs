//! The member names that the selectors mention, each with a number.
//!
//! A lookup costs one hash and, nearly always, one comparison. The hash is not keyed: the names in the
//! table are the policy author's, and a name that is not in it cannot make a lookup slow.

/// A name's number; 0 for every name that no selector mentions.
pub(in crate::json) type NameId = u32;

/// An open-addressed table with at least as many empty slots as names.
#[derive(Debug, Clone)]
pub(in crate::json) struct NameTable {
    names: Vec<Box<[u8]>>,
    slots: Vec<NameId>,
    mask: usize,
}

impl NameTable {
    /// A table of these names, without duplicates; the first gets the number 1.
    pub(in crate::json) fn new(names: Vec<Box<[u8]>>) -> Self {
        let size = (names.len() * 4).next_power_of_two().max(8);
        let mut table = Self {
            slots: vec![0; size],
            mask: size - 1,
            names: Vec::new(),
        };
        for name in names {
            let mut slot = table.first_slot(&name);
            while table.slots.get(slot).is_some_and(|id| *id != 0) {
                slot = (slot + 1) & table.mask;
            }
            table.names.push(name);
            let id = NameId::try_from(table.names.len()).unwrap_or_default();
            if let Some(free) = table.slots.get_mut(slot) {
                *free = id;
            }
        }
        table
    }

    /// Every name.
    pub(in crate::json) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.names.iter().map(|name| &**name)
    }

    /// A name by its number; none for 0.
    #[inline]
    pub(in crate::json) fn get(&self, name: NameId) -> Option<&[u8]> {
        self.names
            .get((name as usize).checked_sub(1)?)
            .map(|name| &**name)
    }

    /// How many numbers there are, 0 included.
    pub(super) fn width(&self) -> usize {
        self.names.len() + 1
    }

    /// The number of a name.
    #[inline]
    pub(in crate::json) fn find(&self, name: &[u8]) -> NameId {
        let mut slot = self.first_slot(name);
        loop {
            let id = self.slots.get(slot).copied().unwrap_or_default();
            if id == 0 {
                return 0;
            }
            let found = self.names.get(id as usize - 1);
            if found.is_some_and(|found| **found == *name) {
                return id;
            }
            slot = (slot + 1) & self.mask;
        }
    }

    #[inline]
    fn first_slot(&self, name: &[u8]) -> usize {
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let (first, last) = if name.len() >= 8 {
            (word(name.first_chunk()), word(name.last_chunk()))
        } else {
            let short = name
                .iter()
                .fold(0, |short, byte| (short << 8) | u64::from(*byte));
            (short, 0)
        };
        let length = name.len() as u64;
        let mixed = (first ^ last.rotate_left(29) ^ (length << 56)).wrapping_mul(MIX);
        usize::try_from(mixed >> 40).unwrap_or_default() & self.mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_name_and_no_other() {
        let names: Vec<String> = (0..300)
            .map(|i| format!("{}x{i}", "n".repeat(i % 20)))
            .collect();
        let table = NameTable::new(names.iter().map(|n| n.as_bytes().into()).collect());
        for (i, name) in names.iter().enumerate() {
            assert_eq!(table.find(name.as_bytes()) as usize, i + 1);
            assert_eq!(table.find(format!("{name}!").as_bytes()), 0);
        }
        assert_eq!(table.find(b""), 0);
        assert_eq!(NameTable::new(vec![]).find(b"a"), 0);
    }
}
