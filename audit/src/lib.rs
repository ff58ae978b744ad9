//! EVIDENCE: a log that cannot be changed quietly, and what is written to it.
//!
//! [`Log`] makes entries durable, hashes them into a Merkle tree and signs its head; what it publishes is
//! a tiled log as the C2SP specifications have it, so that programs nobody here wrote can verify it.
//! This crate depends on nothing else of Postern, so that a verifier can stand alone, and on no runtime.
//!
//! It knows entries as bytes only. What may be in them, and that no data of anybody is, is decided by
//! whoever makes them.

#![forbid(unsafe_code)]

mod asking;
mod checkpoint;
mod clock;
mod cosignature;
mod disk;
mod edge_tile;
mod entry;
mod head_slots;
mod log;
mod note;
mod policy_file;
mod proof_file;
mod published;
mod receipt;
mod signer;
mod store;
mod tree;
mod ulid;
mod verify;
mod verify_folder;
mod vkey;
mod wal;
mod witness;

pub use asking::{Asking, Heard, WithProofs};
pub use checkpoint::Checkpoint;
pub use clock::{Clock, SystemClock};
pub use disk::{Access, Disk, DiskFile, Listed, Lock, SystemDisk};
pub use entry::{AdminEntry, AuditEntry};
pub use log::Log;
pub use log::cosigned::{last_signed, witness_size};
pub use log::error::{LogError, OpenError};
pub use log::life::{Activity, entry as life_entry};
pub use log::new_entry::NewEntry;
pub use log::pruning::Cover;
pub use log::settings::{LogSettings, OnDamage};
pub use note::{Note, NoteError, SignatureLine};
pub use policy_file::{PolicyError, PolicyFile};
pub use proof_file::ProofFile;
pub use published::{PublishedEntries, ReadError};
pub use receipt::{ClientReceipt, Receipt};
pub use signer::Signer;
pub use tree::HashReader;
pub use tree::bundle::{ENTRY_BYTES_MAX, entries as bundle_entries};
pub use tree::compact_range::CompactRange;
pub use tree::hash::Hash;
pub use tree::proof::{
    PROOF_HASHES_MAX, is_consistent, is_included, prove_consistency, prove_inclusion,
};
pub use tree::tiles::{TILE_WIDTH, TileBuilder, TileError, TileId, TileKind, TileReader};
pub use verify::{Incomplete, Integrity, Report, VerifyError, verify};
pub use verify_folder::{
    ProofError, ReceiptError, prove, verify_folder, verify_proof, verify_receipt,
};
pub use vkey::{KeyKind, VerifierKey};
pub use witness::{Answer, Witness};
