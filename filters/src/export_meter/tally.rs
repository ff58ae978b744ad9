//! The account of one exchange: which records are open, whom they have named, and what is due.
//!
//! Guarantees: every record is counted where it begins; with data subjects, a record that ends without
//! having named one has named one of its own. It holds no text of the body.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::body_filter::BodyError;
use crate::export_meter::{Due, DueSubject, SubjectKey, Who};

/// How many subjects are remembered until the next release, so as not to be named twice. Past it the
/// memory starts anew: to charge a subject again costs nothing.
const REMEMBERED_MAX: usize = 1 << 16;

/// What is counted in one exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TallyRules {
    /// What stands for data subjects.
    pub(crate) key: SubjectKey,
    /// Data subjects are counted.
    pub(crate) subjects: bool,
    /// The answer as a whole is a record.
    pub(crate) whole: bool,
    /// A record is decided when it has ended, since it may be removed.
    pub(crate) truncates: bool,
    /// How far a record may go on without having named its subject.
    pub(crate) held_bytes_max: usize,
}

/// See the module. Positions are counted in the text that is read.
#[derive(Clone)]
pub(crate) struct Tally {
    rules: TallyRules,
    due_records: u64,
    subjects: Vec<DueSubject>,
    open: Vec<Open>,
    seen: HashSet<u64>,
    /// Those of them that only records have named which may still be removed, with the number of the
    /// first of these.
    unsure: HashMap<u64, u64>,
    /// How many more records may stay; none when all may.
    left: Option<u64>,
    /// What is read has been read before, and charged as far as it stays.
    again: bool,
    cut: u64,
    /// The body has begun.
    begun: bool,
}

/// A record that has begun and not ended.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// How many containers are around it; none for the answer as a whole.
    level: Option<usize>,
    from: u64,
    /// Its number among the due records, as long as it is due.
    number: Option<u64>,
    named: bool,
}

impl Tally {
    /// An account before the first byte of a body.
    pub(crate) fn new(rules: TallyRules) -> Self {
        Self {
            rules,
            due_records: 0,
            subjects: Vec::new(),
            open: Vec::new(),
            seen: HashSet::new(),
            unsure: HashMap::new(),
            left: None,
            again: false,
            cut: 0,
            begun: false,
        }
    }

    /// What stands for data subjects.
    pub(crate) fn key(&self) -> SubjectKey {
        self.rules.key
    }

    /// Whether records may be removed.
    pub(crate) fn truncates(&self) -> bool {
        self.rules.truncates
    }

    /// There is a body.
    pub(crate) fn begin_body(&mut self) {
        if !std::mem::replace(&mut self.begun, true) && self.rules.whole {
            self.begin(None, 0);
        }
    }

    /// The body has ended.
    pub(crate) fn end_body(&mut self) {
        self.end_from(None);
    }

    /// A record begins inside of so many containers. Says whether it may stay; what may not is not
    /// counted.
    pub(crate) fn begin_record(&mut self, level: usize, from: u64) -> bool {
        match &mut self.left {
            Some(0) => {
                self.cut += 1;
                return false;
            }
            Some(left) => *left -= 1,
            None => self.begin(Some(level), from),
        }
        true
    }

    fn begin(&mut self, level: Option<usize>, from: u64) {
        let number = self.due_records;
        self.due_records += 1;
        if self.rules.subjects {
            self.open.push(Open {
                level,
                from,
                number: Some(number),
                named: false,
            });
        }
    }

    /// A value inside of so many containers has ended at this position: records in it have ended too.
    ///
    /// # Errors
    /// One of them went on for too long.
    pub(crate) fn end_records(&mut self, level: usize, at: u64) -> Result<(), BodyError> {
        if self
            .open
            .last()
            .is_some_and(|open| open.level >= Some(level))
        {
            self.reach(at)?;
            self.end_from(Some(level));
        }
        Ok(())
    }

    /// Ends the records from this level on.
    fn end_from(&mut self, level: Option<usize>) {
        while let Some(open) = self.open.pop_if(|open| open.level >= level) {
            if !open.named {
                self.subjects.push(DueSubject {
                    record: open.number,
                    who: Who::Nameless,
                });
            }
        }
    }

    /// A data subject has been named at this position.
    ///
    /// # Errors
    /// That took a record too long.
    pub(crate) fn name(&mut self, who: Who, at: u64) -> Result<(), BodyError> {
        if !self.rules.subjects {
            return Ok(());
        }
        self.reach(at)?;
        let record = self.naming();
        for open in &mut self.open {
            open.named = true;
        }
        if self.is_new(who, record) && !self.again {
            self.subjects.push(DueSubject { record, who });
        }
        Ok(())
    }

    /// The record that a subject stands for which is named now: the outermost that has named nobody,
    /// since it may stay without those inside of it; otherwise the innermost.
    fn naming(&self) -> Option<u64> {
        let nameless = self.open.iter().find(|open| !open.named);
        nameless
            .or_else(|| self.open.last())
            .and_then(|open| open.number)
    }

    /// Whether a subject has to be charged where this record names it, or where none does.
    fn is_new(&mut self, who: Who, record: Option<u64>) -> bool {
        let Who::Known(hash) = who else {
            return true;
        };
        if self.seen.len() >= REMEMBERED_MAX {
            self.seen.clear();
        }
        let is_new = self.seen.insert(hash);
        match record {
            Some(number) if self.rules.truncates => match self.unsure.entry(hash) {
                // A record inside of this one named it first: that one may go, and this one stays.
                Entry::Occupied(mut first) if number < *first.get() => {
                    first.insert(number);
                    true
                }
                Entry::Occupied(_) => false,
                Entry::Vacant(first) if is_new => {
                    first.insert(number);
                    true
                }
                Entry::Vacant(_) => false,
            },
            Some(_) => is_new,
            // The record that named it first may go, and it stays.
            None => self.unsure.remove(&hash).is_some() || is_new,
        }
    }

    /// The text has been read up to this position.
    ///
    /// # Errors
    /// A record has gone on for too long without having been decided.
    pub(crate) fn reach(&self, at: u64) -> Result<(), BodyError> {
        let max = self.rules.held_bytes_max as u64;
        let mut undecided = self.open.iter().filter(|open| self.waits(open));
        match undecided.any(|open| at.saturating_sub(open.from) > max) {
            true => Err(BodyError::Limit {
                limit: "held_bytes",
            }),
            false => Ok(()),
        }
    }

    /// Whether nothing of a record may leave yet.
    fn waits(&self, open: &Open) -> bool {
        !open.named || self.rules.truncates && open.level.is_some()
    }

    /// Whether some record's end has to be told.
    pub(crate) fn is_open(&self) -> bool {
        self.open.iter().any(|open| open.level.is_some())
    }

    /// Adds what is due to `due`.
    pub(crate) fn drain_into(&mut self, due: &mut Due) {
        due.records = self.due_records;
        due.subjects.append(&mut self.subjects);
        due.incomplete = self.open.iter().any(|open| self.waits(open));
    }

    /// What was due has been admitted. SECURITY: whoever was named until now is charged anew when named
    /// again, since a body may go on for longer than a window; the ledger knows whether that costs
    /// anything.
    pub(crate) fn released(&mut self) {
        self.due_records = 0;
        self.seen.clear();
        self.unsure.clear();
        for open in &mut self.open {
            open.number = None;
        }
    }

    /// What was due is read again, and so many of its records may stay.
    pub(crate) fn read_again(&mut self, records: u64) {
        self.left = Some(records);
        self.again = true;
        self.open.clear();
    }

    /// What was due has been read again, and admitted as far as it stays. No record that comes now may
    /// stay; a data subject outside of records still counts.
    pub(crate) fn go_on(&mut self) {
        self.released();
        self.left = Some(0);
        self.again = false;
    }

    /// How many records were removed.
    pub(crate) fn cut_records(&self) -> u64 {
        self.cut
    }
}
