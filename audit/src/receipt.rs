//! Receipts: what the log promises to whoever appended an entry, and as a header to a client.
//!
//! The header holds the hash of the entry, never the entry: with a proof file that the log publishes
//! later, it shows that the very entry is in the tree, without anybody having seen its bytes.

use crate::checkpoint::decimal;
use crate::tree::hash::Hash;

/// What an acknowledgement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Where the entry is.
    pub index: u64,
    /// The hash of the entry as a leaf.
    pub leaf: Hash,
    /// The size of the tree that was signed with it.
    pub size: u64,
    /// The root of that tree.
    pub root: Hash,
}

impl Receipt {
    /// As the value of an `Audit-Receipt` response header: a dictionary of RFC 9651. An origin is a key's
    /// name, so that it needs no escapes beyond those of quotes and backslashes.
    #[must_use]
    pub fn to_header(&self, origin: &str) -> String {
        let origin = origin.replace('\\', "\\\\").replace('"', "\\\"");
        let Self {
            index,
            leaf,
            size,
            root,
        } = self;
        format!("origin=\"{origin}\", index={index}, size={size}, root=:{root}:, leaf=:{leaf}:")
    }
}

/// A receipt as a client keeps it: with the log that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientReceipt {
    /// Which log it is.
    pub origin: String,
    /// What it promises.
    pub receipt: Receipt,
}

impl ClientReceipt {
    /// Reads the value of an `Audit-Receipt` header; nothing unless it is spelled as [`Receipt::to_header`]
    /// spells it, or with the header's name before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let value = match text.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("audit-receipt") => value.trim(),
            Some(_) | None => text,
        };
        let (origin, rest) = value.strip_prefix("origin=\"")?.rsplit_once("\", index=")?;
        let origin = origin.replace("\\\"", "\"").replace("\\\\", "\\");
        let mut members = rest.split(", ");
        let index = decimal(members.next()?)?;
        let size = decimal(members.next()?.strip_prefix("size=")?)?;
        let root = hash(members.next()?.strip_prefix("root=")?)?;
        let leaf = hash(members.next()?.strip_prefix("leaf=")?)?;
        let receipt = Receipt {
            index,
            leaf,
            size,
            root,
        };
        let client = Self { origin, receipt };
        (client.receipt.to_header(&client.origin) == value).then_some(client)
    }
}

fn hash(bytes: &str) -> Option<Hash> {
    Hash::from_base64(bytes.strip_prefix(':')?.strip_suffix(':')?)
}
