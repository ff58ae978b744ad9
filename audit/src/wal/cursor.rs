//! Reads entries of the write-ahead log in order while it is being written: never past what is durable.

use std::io::{self, ErrorKind};

use super::record::{Piece, next};
use super::scan::segments;
use super::segment_path;
use crate::disk::Disk;

/// How much is read at once; more than the longest piece.
const CHUNK_BYTES: usize = 1 << 20;

/// What is done with an entry at its index.
type Each<'e, E> = dyn FnMut(u64, &[u8]) -> Result<(), E> + 'e;

/// A place in the write-ahead log.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    segment: u64,
    offset: u64,
    next: u64,
}

impl Cursor {
    /// The place of an index, found from the segment that holds it.
    pub(crate) fn at(disk: &dyn Disk, index: u64) -> io::Result<Self> {
        let all = segments(disk)?;
        let before = all.partition_point(|first| *first <= index);
        let segment = before.checked_sub(1).and_then(|at| all.get(at)).copied();
        let segment = segment.ok_or(ErrorKind::NotFound)?;
        let mut cursor = Self {
            segment,
            offset: 0,
            next: segment,
        };
        cursor.read::<io::Error>(disk, index, &mut |_, _| Ok(()))?;
        Ok(cursor)
    }

    /// Hands out every entry up to the index `to`, which has to be durable, and stands there.
    pub(crate) fn read<E: From<io::Error>>(
        &mut self,
        disk: &dyn Disk,
        to: u64,
        each: &mut Each<'_, E>,
    ) -> Result<(), E> {
        while self.next < to {
            let path = segment_path(self.segment);
            let chunk = disk.read_from(&path, self.offset, CHUNK_BYTES)?;
            let mut read = 0;
            while self.next < to
                && let Some((piece, length)) = chunk.get(read..).and_then(next)
            {
                if let Piece::Record { index, entry } = piece {
                    if index != self.next {
                        return Err(io::Error::from(ErrorKind::InvalidData).into());
                    }
                    each(index, entry)?;
                    self.next += 1;
                }
                read += length;
            }
            self.offset += read as u64;
            if read == 0 {
                self.enter_next_segment(disk)?;
            }
        }
        Ok(())
    }

    fn enter_next_segment(&mut self, disk: &dyn Disk) -> io::Result<()> {
        if self.segment == self.next || !segments(disk)?.contains(&self.next) {
            return Err(ErrorKind::InvalidData.into());
        }
        self.segment = self.next;
        self.offset = 0;
        Ok(())
    }
}
