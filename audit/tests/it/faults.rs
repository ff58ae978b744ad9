//! Which call of a disk fails: any one of them, once, when it is told to.

use std::collections::BTreeMap;
use std::io;

/// One kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Write,
    Sync,
    Truncate,
    Create,
    Open,
    Rename,
    Remove,
    CreateFolder,
    SyncFolder,
}

/// Every kind.
pub(crate) const CALLS: [Call; 9] = [
    Call::Write,
    Call::Sync,
    Call::Truncate,
    Call::Create,
    Call::Open,
    Call::Rename,
    Call::Remove,
    Call::CreateFolder,
    Call::SyncFolder,
];

/// What is to fail, and what has been called since that was said.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    seen: BTreeMap<Call, usize>,
    fail: Option<(Call, usize)>,
    /// What the system is to say then, by its number.
    saying: Option<i32>,
    failed: bool,
}

impl Faults {
    /// Fails the call of a kind that comes after this many others of the kind, once.
    pub(crate) fn fail(&mut self, call: Call, after: usize) {
        self.fail_saying(None, call, after);
    }

    /// The same, with what the system says then.
    pub(crate) fn fail_saying(&mut self, saying: Option<i32>, call: Call, after: usize) {
        *self = Self {
            fail: Some((call, after)),
            saying,
            ..Self::default()
        };
    }

    /// Whether the call that was to fail has come.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// A call comes.
    pub(crate) fn enter(&mut self, call: Call) -> io::Result<()> {
        let seen = self.seen.entry(call).or_default();
        let before = *seen;
        *seen += 1;
        if self.fail == Some((call, before)) {
            self.fail = None;
            self.failed = true;
            let plain = || io::Error::other("told to fail");
            return Err(self.saying.map_or_else(plain, io::Error::from_raw_os_error));
        }
        Ok(())
    }
}
