//! What is past its time is forgotten, a little with each session that begins.

use redb::ReadableTable as _;

use super::Tables;
use crate::session::digest::Digest;

/// So many rows are looked at for each session that begins: more than it adds.
const SWEPT_MAX: usize = 16;
/// How long it is known that a session was ended, beyond its own record.
const ENDED_KEPT_MS: u64 = 24 * 3_600_000;

/// Where a sweep of the sessions of people goes on: they are in no order of time.
pub(super) type Swept = (Digest, String);

impl Tables<'_> {
    /// Forgets some of what is past its time.
    pub(super) fn sweep(&mut self, now: u64) -> Result<(), redb::Error> {
        for _row in 0..SWEPT_MAX {
            let Some(row) = self.until.first()? else {
                break;
            };
            let ((until, handle), sid) = (row.0.value(), row.1.value().to_owned());
            drop(row);
            if now < until {
                break;
            }
            self.until.remove((until, handle))?;
            // It may lead on for longer by now.
            let leads = self.handles.get(handle)?.map(|place| place.value().1);
            if leads.is_some_and(|leads| leads <= now) {
                self.handles.remove(handle)?;
            }
            let end = self.sessions.get(sid.as_str())?.map(|row| row.value().1);
            if end.is_none_or(|end| end <= now) {
                self.sessions.remove(sid.as_str())?;
                self.fingerprints.forget(&sid, now)?;
            }
        }
        // An exchange of a session that ended so long ago has ended as well.
        let forgotten = now.saturating_sub(ENDED_KEPT_MS);
        self.ended
            .retain_in((0, "")..(forgotten, ""), |_, ()| false)?;
        Ok(())
    }

    /// Forgets some of the sessions of people that are past their time, from where the last sweep ended. Most of
    /// these people never log in again.
    pub(super) fn sweep_people(&mut self, from: &mut Swept, now: u64) -> Result<(), redb::Error> {
        let mut seen = 0_usize;
        let mut past = Vec::new();
        let mut last = Swept::default();
        let rows = self.people.range((from.0, from.1.as_str())..)?;
        for row in rows.take(SWEPT_MAX) {
            let (key, end) = row?;
            let (person, sid) = key.value();
            last = (person, sid.to_owned());
            if end.value() <= now {
                past.push(last.clone());
            }
            seen = seen.saturating_add(1);
        }
        for (person, sid) in past {
            self.people.remove((person, sid.as_str()))?;
        }
        *from = match seen < SWEPT_MAX {
            true => Swept::default(),
            false => last,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::session::{EmbeddedSessions, NewSession, SessionStore as _};

    fn session(number: u8, ends_at: u64) -> NewSession {
        NewSession {
            sid: format!("01K{number:03}"),
            handle: [number; 32],
            person: [number; 32],
            sealed: vec![number],
            fingerprints: Vec::new(),
            follows: None,
            ends_at,
        }
    }

    #[tokio::test]
    async fn whoever_never_comes_back_is_forgotten_and_whoever_is_there_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedSessions::open(&folder.path().join("sessions"), 0).unwrap();
        let people = 40_u8;
        for number in 0..people {
            let ends_at = if number % 4 == 0 { 9_000 } else { 2_000 };
            let new = session(number, ends_at);
            store.admit(new, None, 1_000).await.unwrap();
        }
        // Others come, a whole round of sweeps long.
        for number in 0..8 {
            let new = session(200 + number, 9_000);
            store.admit(new, None, 3_000).await.unwrap();
        }
        for number in 0..people {
            // Nothing that is still written is past its time at the beginning.
            let written = store.list(Some(&[number; 32]), 9, 1_000).await.unwrap();
            assert_eq!(written.is_empty(), number % 4 != 0, "{number}");
        }
    }
}
