//! Two slots that hold the last signed head, written in turn after each batch: a write-ahead log that
//! is shorter than either of them was cut or rolled back.
//!
//! ```text
//! turn u64 │ length u32 │ signed note │ zeros up to 1,020 bytes │ crc32c u32
//! ```
//!
//! They are not synced with every batch: after a power loss a slot may be old or torn, never ahead.

use std::io;

use crate::disk::{Access, Disk, DiskFile};
use crate::store::{StoreError, read_optional, replace, write_all};
use crc32c::crc32c;

/// The two files.
pub(crate) const PATHS: [&str; 2] = [".state/head.A", ".state/head.B"];
/// The length of a slot.
const SLOT_BYTES: usize = 1024;
/// What is before the note.
const PREFIX_BYTES: usize = 12;
/// The checksum.
const CRC_BYTES: usize = 4;

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// It was never written.
    Absent,
    /// It is torn or damaged.
    Unreadable,
    /// A head.
    Head {
        /// Which write this was.
        turn: u64,
        /// The signed note.
        note: Vec<u8>,
    },
}

/// The slots, open for writing.
#[derive(Debug)]
pub(crate) struct HeadSlots {
    turn: u64,
    files: [Box<dyn DiskFile>; 2],
}

impl HeadSlots {
    /// Opens both slots, and makes those that are not there or not whole.
    pub(crate) fn open(disk: &dyn Disk, note: Option<&[u8]>) -> Result<Self, StoreError> {
        let mut turn = 0;
        for path in PATHS {
            match read(disk, path).map_err(StoreError::Write)? {
                Slot::Head { turn: last, .. } => turn = turn.max(last),
                Slot::Absent | Slot::Unreadable => {
                    replace(
                        disk,
                        path,
                        &to_bytes(0, note.unwrap_or_default()),
                        Access::Public,
                    )?;
                }
            }
        }
        let open = |path| disk.open(path).map_err(StoreError::Write);
        let [a, b] = PATHS;
        Ok(Self {
            turn,
            files: [open(a)?, open(b)?],
        })
    }

    /// Writes the next head over the older slot.
    pub(crate) fn put(&mut self, note: &[u8]) -> io::Result<()> {
        self.turn += 1;
        let bytes = to_bytes(self.turn, note);
        let [a, b] = &mut self.files;
        let file = if self.turn.is_multiple_of(2) { a } else { b };
        write_all(file.as_mut(), 0, &bytes)
    }
}

/// Reads one slot.
pub(crate) fn read(disk: &dyn Disk, path: &str) -> io::Result<Slot> {
    let bytes = read_optional(disk, path)?;
    Ok(bytes.map_or(Slot::Absent, |bytes| {
        parse(&bytes).unwrap_or(Slot::Unreadable)
    }))
}

fn parse(bytes: &[u8]) -> Option<Slot> {
    let (body, crc) = bytes.split_last_chunk::<CRC_BYTES>()?;
    if bytes.len() != SLOT_BYTES || crc32c(body) != u32::from_be_bytes(*crc) {
        return None;
    }
    let (turn, rest) = body.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    Some(match length {
        // A slot that was made before the first batch.
        0 => Slot::Absent,
        length => Slot::Head {
            turn: u64::from_be_bytes(*turn),
            note: rest.get(..length)?.to_vec(),
        },
    })
}

fn to_bytes(turn: u64, note: &[u8]) -> Vec<u8> {
    // INVARIANT: origins are short enough that a head's note fits; the log's settings bound them.
    let room = SLOT_BYTES - PREFIX_BYTES - CRC_BYTES;
    let note = note.get(..room).unwrap_or(note);
    let mut bytes = turn.to_be_bytes().to_vec();
    let length = u32::try_from(note.len()).unwrap_or_default();
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(note);
    bytes.resize(SLOT_BYTES - CRC_BYTES, 0);
    let crc = crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}
