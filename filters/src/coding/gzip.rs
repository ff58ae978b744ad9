//! gzip (RFC 1952): every member, each with its header, its CRC-32 and its length.
//!
//! A member's header is read and thrown away: what stands in its name, comment and extra fields
//! never leaves. What follows a member must be another member.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::body_filter::BodyError;
use crate::coding::damaged;
use crate::coding::stage::Step;

/// A member's header may not be longer, in bytes.
const HEADER_BYTES_MAX: usize = 64 << 10;

const FLAG_HEADER_CRC: u8 = 0x02;
const FLAG_EXTRA: u8 = 0x04;
const FLAG_NAME: u8 = 0x08;
const FLAG_COMMENT: u8 = 0x10;
const FLAGS_RESERVED: u8 = 0xe0;

/// A gzip body being decoded.
pub(super) struct GzipStream {
    part: Part,
    inflate: Decompress,
    crc: Crc,
}

enum Part {
    Header(Header),
    Data,
    Trailer(Vec<u8>),
    BetweenMembers,
}

impl GzipStream {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Header(Header::new()),
            inflate: Decompress::new(false),
            crc: Crc::new(),
        }
    }

    pub(super) const fn is_complete(&self) -> bool {
        matches!(self.part, Part::BetweenMembers)
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, BodyError> {
        let mut step = Step::default();
        while let Some(byte) = input.get(step.read) {
            let (next, read) = match &mut self.part {
                Part::Data => break,
                Part::BetweenMembers => {
                    self.inflate.reset(false);
                    self.crc.reset();
                    (Some(Part::Header(Header::new())), 0)
                }
                Part::Header(header) => (header.take(*byte)?.then_some(Part::Data), 1),
                Part::Trailer(bytes) => {
                    bytes.push(*byte);
                    match bytes.len() {
                        8 => (Some(checked(bytes, &self.crc)?), 1),
                        _ => (None, 1),
                    }
                }
            };
            step.read += read;
            self.part = match next {
                Some(part) => part,
                None => continue,
            };
        }
        if matches!(self.part, Part::Data) {
            let rest = input.get(step.read..).unwrap_or_default();
            let (inflated, ended) = inflate(&mut self.inflate, rest, out)?;
            self.crc
                .update(out.get(..inflated.written).unwrap_or_default());
            step.read += inflated.read;
            step.written = inflated.written;
            if ended {
                self.part = Part::Trailer(Vec::with_capacity(8));
            }
        }
        Ok(step)
    }
}

/// Compares a member's trailer with what was decoded.
fn checked(trailer: &[u8], crc: &Crc) -> Result<Part, BodyError> {
    let expected: Vec<u8> = [crc.sum(), crc.amount()]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    match trailer == expected {
        true => Ok(Part::BetweenMembers),
        false => Err(damaged("the gzip checksum does not match")),
    }
}

/// Inflates some of the input; says whether the deflate stream has ended.
pub(super) fn inflate(
    inflate: &mut Decompress,
    input: &[u8],
    out: &mut [u8],
) -> Result<(Step, bool), BodyError> {
    let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
    let Ok(status) = inflate.decompress(input, out, FlushDecompress::None) else {
        return Err(damaged("the deflate data is damaged"));
    };
    let count = |after: u64, before: u64| usize::try_from(after - before).unwrap_or_default();
    let step = Step {
        read: count(inflate.total_in(), before_in),
        written: count(inflate.total_out(), before_out),
    };
    Ok((step, matches!(status, Status::StreamEnd)))
}

/// Compares a byte of a header's own checksum.
fn matching(byte: u8, expected: u8) -> Result<(), BodyError> {
    match byte == expected {
        true => Ok(()),
        false => Err(damaged("the gzip header's checksum does not match")),
    }
}

/// A member's header, read byte by byte.
struct Header {
    seen: usize,
    flags: u8,
    field: Field,
    crc: Crc,
}

/// What the next byte of a header belongs to.
#[derive(Clone, Copy)]
enum Field {
    Fixed,
    ExtraLength { low: Option<u8> },
    Extra { left: u16 },
    Name,
    Comment,
    HeaderCrc { second: Option<u8> },
}

impl Header {
    fn new() -> Self {
        Self {
            seen: 0,
            flags: 0,
            field: Field::Fixed,
            crc: Crc::new(),
        }
    }

    /// Takes one byte; true when it was the header's last.
    fn take(&mut self, byte: u8) -> Result<bool, BodyError> {
        let at = self.seen;
        self.seen += 1;
        if self.seen > HEADER_BYTES_MAX {
            return Err(damaged("the gzip header is too long"));
        }
        let crc_before = self.crc.sum().to_le_bytes();
        self.crc.update(&[byte]);
        let done = match self.field {
            Field::Fixed => self.fixed(at, byte)?,
            Field::ExtraLength { low: None } => {
                self.field = Field::ExtraLength { low: Some(byte) };
                None
            }
            Field::ExtraLength { low: Some(low) } => match u16::from_le_bytes([low, byte]) {
                0 => Some(FLAG_EXTRA),
                left => {
                    self.field = Field::Extra { left };
                    None
                }
            },
            Field::Extra { left: 1 } => Some(FLAG_EXTRA),
            Field::Extra { left } => {
                self.field = Field::Extra { left: left - 1 };
                None
            }
            Field::Name => (byte == 0).then_some(FLAG_NAME),
            Field::Comment => (byte == 0).then_some(FLAG_COMMENT),
            Field::HeaderCrc { second: None } => {
                let [first, second, ..] = crc_before;
                self.field = Field::HeaderCrc {
                    second: Some(second),
                };
                matching(byte, first)?;
                None
            }
            Field::HeaderCrc {
                second: Some(second),
            } => {
                matching(byte, second)?;
                Some(FLAG_HEADER_CRC)
            }
        };
        Ok(done.is_some_and(|finished| self.begin_after(finished)))
    }

    /// The ten bytes that every header has; the flag `1` stands for them.
    fn fixed(&mut self, at: usize, byte: u8) -> Result<Option<u8>, BodyError> {
        let fits = match at {
            0 => byte == 0x1f,
            1 => byte == 0x8b,
            2 => byte == 8,
            3 => byte & FLAGS_RESERVED == 0,
            _ => true,
        };
        if !fits {
            return Err(damaged("what follows is no gzip member"));
        }
        if at == 3 {
            self.flags = byte;
        }
        Ok((at == 9).then_some(1))
    }

    /// Moves to the next field that the flags announce; true when there is none.
    fn begin_after(&mut self, finished: u8) -> bool {
        let order = [
            (1, Field::Fixed),
            (FLAG_EXTRA, Field::ExtraLength { low: None }),
            (FLAG_NAME, Field::Name),
            (FLAG_COMMENT, Field::Comment),
            (FLAG_HEADER_CRC, Field::HeaderCrc { second: None }),
        ];
        let next = order
            .into_iter()
            .skip_while(|(flag, _)| *flag != finished)
            .skip(1)
            .find(|(flag, _)| self.flags & flag != 0);
        match next {
            Some((_, field)) => {
                self.field = field;
                false
            }
            None => true,
        }
    }
}
