//! Whose what the application gave out is, by its fingerprints: the tables of the embedded store.

use redb::{ReadTransaction, ReadableTable as _, Table, TableDefinition, WriteTransaction};

use crate::session::digest::Digest;

/// fingerprint → id, or nothing where it is not one session's; until when
const OWNERS: TableDefinition<Digest, (&str, u64)> = TableDefinition::new("fingerprints");
/// id, fingerprint
const HELD: TableDefinition<(&str, Digest), ()> = TableDefinition::new("held");
/// Before and behind every fingerprint.
const ALL: (Digest, Digest) = ([0; 32], [0xFF; 32]);

/// The tables within one transaction.
pub(super) struct Fingerprints<'t> {
    owners: Table<'t, Digest, (&'static str, u64)>,
    held: Table<'t, (&'static str, Digest), ()>,
}

impl<'t> Fingerprints<'t> {
    pub(super) fn open(writing: &'t WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            owners: writing.open_table(OWNERS)?,
            held: writing.open_table(HELD)?,
        })
    }

    /// A session holds these until its end, some of them perhaps in place of the one that it `follows`. What
    /// another one holds already is nobody's from then on.
    pub(super) fn add(
        &mut self,
        (sid, end): (&str, u64),
        fingerprints: &[Digest],
        follows: Option<&str>,
        now: u64,
    ) -> Result<(), redb::Error> {
        for fingerprint in fingerprints {
            let known = self.owners.get(fingerprint)?.map(|row| {
                let (owner, until) = row.value();
                (owner == sid || Some(owner) == follows, until)
            });
            let row = match known.filter(|(_, until)| now < *until) {
                Some((false, until)) => ("", until.max(end)),
                Some((true, _)) | None => (sid, end),
            };
            self.owners.insert(fingerprint, row)?;
            self.held.insert((sid, *fingerprint), ())?;
        }
        Ok(())
    }

    /// A session has ended before its time: nothing leads to it any more.
    pub(super) fn disown(&mut self, sid: &str) -> Result<(), redb::Error> {
        for fingerprint in self.of(sid)? {
            let owner = self.owners.get(fingerprint)?;
            let is_theirs = owner.is_some_and(|row| row.value().0 == sid);
            if is_theirs {
                self.owners.remove(fingerprint)?;
            }
        }
        Ok(())
    }

    /// A session is past its time: what nobody holds any more is forgotten with it.
    pub(super) fn forget(&mut self, sid: &str, now: u64) -> Result<(), redb::Error> {
        for fingerprint in self.of(sid)? {
            let owner = self.owners.get(fingerprint)?;
            let is_over = owner.is_some_and(|row| row.value().1 <= now);
            if is_over {
                self.owners.remove(fingerprint)?;
            }
            self.held.remove((sid, fingerprint))?;
        }
        Ok(())
    }

    fn of(&self, sid: &str) -> Result<Vec<Digest>, redb::Error> {
        let (first, last) = ALL;
        let mut fingerprints = Vec::new();
        for row in self.held.range((sid, first)..=(sid, last))? {
            fingerprints.push(row?.0.value().1);
        }
        Ok(fingerprints)
    }
}

/// The session that each of these leads to.
pub(super) fn owners(
    reading: &ReadTransaction,
    fingerprints: &[Digest],
    now: u64,
) -> Result<Vec<Option<String>>, redb::Error> {
    let owners = reading.open_table(OWNERS)?;
    let mut found = Vec::with_capacity(fingerprints.len());
    for fingerprint in fingerprints {
        let owner = owners.get(fingerprint)?.and_then(|row| {
            let (owner, until) = row.value();
            (now < until && !owner.is_empty()).then(|| owner.to_owned())
        });
        found.push(owner);
    }
    Ok(found)
}
