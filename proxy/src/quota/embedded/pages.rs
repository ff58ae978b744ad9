//! The tables of the file, within one transaction.
//!
//! ```text
//!  facts          name             → number     format, time, next id, the key of the hashes
//!  books          key              → book       one row per count
//!  subjects       id, hash         → end        whom a count knows, and until when
//!  subject_ends   id, end, hash    → ()         the same by time, so that the old ones are found
//! ```

use redb::{Database, ReadableTable as _, Table, TableDefinition, TableError, WriteTransaction};

use super::broken;
use super::codec::{decode, encode};
use crate::quota::book::Book;
use crate::quota::key::{Filter, QuotaKey};
use crate::quota::ledger::{Entry, StoreError, Usage};
use crate::quota::terms::Terms;

const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");
const BOOKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("books");
const SUBJECTS: TableDefinition<'_, (u64, u64), u64> = TableDefinition::new("subjects");
const SUBJECT_ENDS: TableDefinition<'_, (u64, u64, u64), ()> = TableDefinition::new("subject_ends");

/// The version of these tables.
const FORMAT: u64 = 1;
/// How many books are looked at per transaction for such as count no more.
const SWEPT: usize = 8;

/// What the file says before anything is counted.
pub(super) struct Preface {
    pub(super) time_mark_ms: u64,
    pub(super) subject_key: [u8; 16],
}

/// Makes the tables when there are none, and reads what has to be known first.
///
/// # Errors
/// [`StoreError::Corrupt`] when the file has another format.
pub(super) fn prepare(database: &Database) -> Result<Preface, StoreError> {
    let transaction = database
        .begin_write()
        .map_err(|_failed| StoreError::Unavailable)?;
    let mut pages = Pages::open(&transaction, 0)?;
    let format = pages.fact("format")?;
    if format != 0 && format != FORMAT {
        return Err(StoreError::Corrupt);
    }
    if format == 0 {
        let random = ring::rand::SystemRandom::new();
        let key = ring::rand::generate::<[u8; 16]>(&random)
            .map_err(|_failed| StoreError::Unavailable)?
            .expose();
        let (high, low) = halves(u128::from_le_bytes(key));
        pages.state("subject_key_high", high)?;
        pages.state("subject_key_low", low)?;
        pages.state("format", FORMAT)?;
    }
    let high = u128::from(pages.fact("subject_key_high")?);
    let low = u128::from(pages.fact("subject_key_low")?);
    let preface = Preface {
        time_mark_ms: pages.fact("time_mark_ms")?,
        subject_key: (high << 64 | low).to_le_bytes(),
    };
    drop(pages);
    transaction
        .commit()
        .map_err(|_failed| StoreError::Unavailable)?;
    Ok(preface)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "INVARIANT: the halves are cut on purpose; nothing is lost"
)]
const fn halves(whole: u128) -> (u64, u64) {
    ((whole >> 64) as u64, whole as u64)
}

/// See the module's documentation.
pub(super) struct Pages<'a> {
    facts: Table<'a, &'static str, u64>,
    books: Table<'a, &'static str, &'static [u8]>,
    pub(super) subjects: Table<'a, (u64, u64), u64>,
    pub(super) subject_ends: Table<'a, (u64, u64, u64), ()>,
    pub(super) now_ms: u64,
    changed: bool,
}

impl<'a> Pages<'a> {
    /// The tables at this moment of ledger time.
    pub(super) fn open(transaction: &'a WriteTransaction, now_ms: u64) -> Result<Self, StoreError> {
        Ok(Self {
            facts: transaction.open_table(FACTS).map_err(foreign)?,
            books: transaction.open_table(BOOKS).map_err(foreign)?,
            subjects: transaction.open_table(SUBJECTS).map_err(foreign)?,
            subject_ends: transaction.open_table(SUBJECT_ENDS).map_err(foreign)?,
            now_ms,
            changed: false,
        })
    }

    /// Whether anything was written.
    pub(super) const fn is_changed(&self) -> bool {
        self.changed
    }

    /// Writes down the time, so that it never goes back.
    pub(super) fn close(mut self) -> Result<(), StoreError> {
        let now_ms = self.now_ms;
        self.state("time_mark_ms", now_ms)
    }

    /// Changes the book of a key, which is opened when there is none. With terms, what counts no more
    /// under them is dropped first.
    pub(super) fn change<T>(
        &mut self,
        key: &QuotaKey,
        terms: Option<&Terms>,
        change: impl FnOnce(&mut Book, u64) -> T,
    ) -> Result<T, StoreError> {
        let mut book = self.open_book(key)?;
        if let Some(terms) = terms {
            self.turn(key, &mut book, terms.window_ms())?;
        }
        let outcome = change(&mut book, self.now_ms);
        self.write(key, &book)?;
        Ok(outcome)
    }

    /// Changes the book of a key, if there is one.
    pub(super) fn change_known(
        &mut self,
        key: &QuotaKey,
        change: impl FnOnce(&mut Book),
    ) -> Result<(), StoreError> {
        let Some(mut book) = self.book(key)? else {
            return Ok(());
        };
        change(&mut book);
        self.write(key, &book)
    }

    /// How much of one count is in use.
    pub(super) fn usage(&mut self, key: &QuotaKey) -> Result<Usage, StoreError> {
        let Some(mut book) = self.book(key)? else {
            return Ok(Usage::default());
        };
        let window_ms = book.window_ms;
        self.turn(key, &mut book, window_ms)?;
        self.usage_of(&book)
    }

    /// The counts in use that a filter means.
    pub(super) fn list(&mut self, filter: &Filter, max: usize) -> Result<Vec<Entry>, StoreError> {
        let mut keys = Vec::new();
        for row in self.books.iter().map_err(|error| broken(&error))? {
            let (text, _) = row.map_err(|error| broken(&error))?;
            let key = QuotaKey::stored(text.value());
            if filter.matches(&key) {
                keys.push(key);
            }
        }
        let mut entries = Vec::new();
        for key in keys {
            if entries.len() >= max {
                break;
            }
            let usage = self.usage(&key)?;
            if usage.used > 0 {
                entries.push(Entry { key, usage });
            }
        }
        Ok(entries)
    }

    /// Begins another life of a count.
    pub(super) fn reset(&mut self, key: &QuotaKey) -> Result<bool, StoreError> {
        let Some(book) = self.book(key)? else {
            return Ok(false);
        };
        let was_used = book.used() > 0;
        self.forget_subjects(book.id)?;
        let generation = self.now_ms.max(book.generation.saturating_add(1));
        let fresh = Book {
            window_ms: book.window_ms,
            last_end_ms: book.last_end_ms,
            ..Book::new(book.id, generation)
        };
        self.write(key, &fresh)?;
        Ok(was_used)
    }

    /// Removes a few books that count no more, from where the last sweep ended.
    pub(super) fn sweep(&mut self, from: &mut String) -> Result<(), StoreError> {
        let mut seen = 0_usize;
        let mut over = Vec::new();
        let mut last = String::new();
        let rows = self.books.range(from.as_str()..);
        for row in rows.map_err(|error| broken(&error))?.take(SWEPT) {
            let (text, bytes) = row.map_err(|error| broken(&error))?;
            let book = decode(bytes.value())?;
            text.value().clone_into(&mut last);
            if book.is_over(self.now_ms) {
                over.push((last.clone(), book.id));
            }
            seen = seen.saturating_add(1);
        }
        for (text, id) in over {
            self.forget_subjects(id)?;
            let removed = self.books.remove(text.as_str());
            drop(removed.map_err(|error| broken(&error))?);
        }
        *from = if seen < SWEPT { String::new() } else { last };
        Ok(())
    }

    /// How many rows the tables have.
    #[cfg(test)]
    pub(super) fn rows(&mut self) -> Result<[u64; 3], StoreError> {
        use redb::ReadableTableMetadata as _;
        let read = |length: Result<u64, _>| length.map_err(|error| broken(&error));
        Ok([
            read(self.books.len())?,
            read(self.subjects.len())?,
            read(self.subject_ends.len())?,
        ])
    }

    /// How much of a book is in use, once it has been turned to now.
    pub(super) fn usage_of(&self, book: &Book) -> Result<Usage, StoreError> {
        Ok(Usage {
            used: book.used(),
            window: std::time::Duration::from_millis(book.window_ms),
            frees_after: self.frees_after(book)?,
        })
    }

    /// The book of a key, or a new one.
    pub(super) fn open_book(&mut self, key: &QuotaKey) -> Result<Book, StoreError> {
        if let Some(book) = self.book(key)? {
            return Ok(book);
        }
        let id = self.fact("next_id")?;
        self.state("next_id", id.saturating_add(1))?;
        Ok(Book::new(id, self.now_ms))
    }

    /// Writes a book down.
    pub(super) fn write(&mut self, key: &QuotaKey, book: &Book) -> Result<(), StoreError> {
        self.changed = true;
        let written = self.books.insert(key.text(), encode(book).as_slice());
        written.map(drop).map_err(|error| broken(&error))
    }

    fn book(&self, key: &QuotaKey) -> Result<Option<Book>, StoreError> {
        let row = self.books.get(key.text()).map_err(|error| broken(&error))?;
        row.map(|bytes| decode(bytes.value())).transpose()
    }

    fn fact(&self, name: &'static str) -> Result<u64, StoreError> {
        let row = self.facts.get(name).map_err(|error| broken(&error))?;
        Ok(row.map(|number| number.value()).unwrap_or_default())
    }

    fn state(&mut self, name: &'static str, number: u64) -> Result<(), StoreError> {
        let written = self.facts.insert(name, number);
        written.map(drop).map_err(|error| broken(&error))
    }
}

/// What a table that cannot be opened means.
fn foreign(error: TableError) -> StoreError {
    if let TableError::Storage(error) = error {
        broken(&error)
    } else {
        StoreError::Corrupt
    }
}
