//! `postern audit verify | show | export | prove | verify-proof | witness | keys | rotate-key`: the audit log,
//! from a copy of its folder or beside a running Postern.
//!
//! Everything but the last three only reads files, asks nobody, and needs neither the proxy nor its keys.

mod keys;
mod render;
mod witness;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use postern_audit::{PolicyFile, ProofError, PublishedEntries, ReceiptError, SystemDisk};
use serde_json::{Value, json};

use super::output::{Exit, Format, Output};
use crate::load;

/// The public keys of a log, in its folder.
const KEYS: &str = "keys/log.vkey";

/// The arguments of `postern audit`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether anything was changed, and whether anything is missing
    Verify(Verify),
    /// Print what is on record
    Show(Show),
    /// Write entries for another system, one on each line
    Export {
        #[command(flatten)]
        show: Show,
        /// For whom
        #[arg(long, value_enum, default_value = "ocsf", value_name = "SCHEMA")]
        schema: Schema,
    },
    /// Write the proof that an entry is in the log
    Prove {
        #[command(flatten)]
        place: Place,
        /// The entry's index
        index: u64,
    },
    /// Say whether a proof shows that an entry is in a log
    VerifyProof(VerifyProof),
    /// Cosign the checkpoints of other logs, so that they cannot be rolled back unseen
    Witness(witness::Arguments),
    /// Print the public keys: the log's, and the one with which this replica cosigns its peers
    Keys,
    /// Sign with another key from now on, which the old one vouches for
    RotateKey,
}

#[derive(Debug, Args)]
struct VerifyProof {
    /// The proof file
    proof: PathBuf,
    /// The file with the entry's bytes
    #[arg(long, value_name = "FILE", required_unless_present = "receipt")]
    entry: Option<PathBuf>,
    /// The `Audit-Receipt` that a client was given
    #[arg(long, value_name = "RECEIPT", conflicts_with = "entry")]
    receipt: Option<String>,
    /// Whom to believe (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
}

/// Where the log is.
#[derive(Debug, Args)]
struct Place {
    /// The log's folder, or a copy of it [default: as the server file says]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Verify {
    #[command(flatten)]
    place: Place,
    /// Whom to believe (C2SP tlog-policy) [default: the keys in the folder itself, which prove less]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere; the log must continue it
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<PathBuf>,
    /// Further checkpoints that were kept elsewhere
    #[arg(long, value_name = "CHECKPOINT")]
    anchor: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    place: Place,
    /// The first index
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
    /// At most so many
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Only of this exchange
    #[arg(long, value_name = "ID")]
    exchange: Option<String>,
    /// Only what this subject did
    #[arg(long, value_name = "SUBJECT")]
    who: Option<String>,
}

/// How entries are written for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Schema {
    /// As they are: OCSF 1.8.0
    Ocsf,
    /// Elastic Common Schema 8
    Ecs,
    /// ArcSight Common Event Format 0
    Cef,
}

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    if !output.is_human_or_json() {
        return Exit::Unreadable;
    }
    let done = match &arguments.command {
        Command::Verify(verify) => self::verify(verify, config, output),
        Command::Show(show) => self::show(show, config, output),
        Command::Export { show, schema } => export(show, *schema, config, output),
        Command::Prove { place, index } => prove(place, *index, config, output),
        Command::VerifyProof(arguments) => verify_proof(arguments, output),
        Command::Witness(arguments) => witness::run(arguments, output),
        Command::Keys => keys::show(config, output),
        Command::RotateKey => keys::rotate(config, output),
    };
    done.unwrap_or_else(|message| {
        output.error(message);
        Exit::Unreadable
    })
}

impl Place {
    /// The log's folder.
    fn folder(&self, config: &Path) -> Result<PathBuf, String> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        let server = load::load_server(config).map_err(|error| {
            let error = error.report(false);
            format!("name the log's folder with `--dir`; {}", error.trim_end())
        })?;
        let log = server
            .audit
            .ok_or("the server file says `audit: off`; name a folder with `--dir`")?;
        Ok(load::base_of(config).join(log.dir))
    }
}

fn verify(arguments: &Verify, config: &Path, output: &Output) -> Result<Exit, String> {
    let folder = arguments.place.folder(config)?;
    let policy = match &arguments.policy {
        Some(path) => policy_in(path)?,
        None => {
            output.note(
                "believing the keys in the folder itself: whoever can write there can replace them; \
                 name a policy that was kept elsewhere with `--policy`",
            );
            policy_of(&folder)?
        }
    };
    let anchors = arguments.since.iter().chain(&arguments.anchor);
    let anchors: Vec<Vec<u8>> = anchors.map(|path| read(path)).collect::<Result<_, _>>()?;
    let disk = SystemDisk::new(folder);
    let report =
        postern_audit::verify(&disk, &policy, &anchors).map_err(|error| error.to_string())?;
    match output.format() {
        Format::Json => output.json(&json!({
            "origin": report.origin,
            "size": report.size,
            "first": report.first,
            "integrity": [report.integrity_in_words()],
            "completeness": report.completeness_in_words(),
            "exit": report.exit_code(),
        })),
        Format::Human | Format::Sarif | Format::Junit | Format::Github => {
            output.text(&report.to_string());
        }
    }
    Ok(match report.exit_code() {
        0 => Exit::Fine,
        1 => Exit::Findings,
        _ => Exit::Tampered,
    })
}

/// A policy that believes the first key of a folder, and asks for no witness.
fn policy_of(folder: &Path) -> Result<PolicyFile, String> {
    let path = folder.join(KEYS);
    let keys = read(&path)?;
    let keys = String::from_utf8_lossy(&keys);
    let first = keys.lines().next().unwrap_or_default();
    let policy = format!("log {first}\nquorum none\n");
    PolicyFile::parse(policy.as_bytes())
        .map_err(|_error| format!("`{}` does not begin with the key of a log", path.display()))
}

fn policy_in(path: &Path) -> Result<PolicyFile, String> {
    let policy = PolicyFile::parse(&read(path)?);
    policy.map_err(|error| format!("`{}`: {error}", path.display()))
}

fn show(arguments: &Show, config: &Path, output: &Output) -> Result<Exit, String> {
    each(arguments, config, |index, entry, event| {
        match output.format() {
            Format::Json => write_line(output, entry),
            Format::Human | Format::Sarif | Format::Junit | Format::Github => {
                write_line(output, render::line(index, event).as_bytes())
            }
        }
    })
}

fn export(
    arguments: &Show,
    schema: Schema,
    config: &Path,
    output: &Output,
) -> Result<Exit, String> {
    each(arguments, config, |_index, entry, event| match schema {
        Schema::Ocsf => write_line(output, entry),
        Schema::Ecs => write_line(output, render::ecs(event).to_string().as_bytes()),
        Schema::Cef => write_line(output, render::cef(event).as_bytes()),
    })
}

/// Writes a line; false when no more need come.
fn write_line(output: &Output, line: &[u8]) -> bool {
    let mut bytes = line.to_vec();
    bytes.push(b'\n');
    output.bytes(&bytes)
}

/// Calls `take` with each entry that is meant, until it says that it is enough.
fn each(
    arguments: &Show,
    config: &Path,
    mut take: impl FnMut(u64, &[u8], &Value) -> bool,
) -> Result<Exit, String> {
    let disk = SystemDisk::new(arguments.place.folder(config)?);
    let entries = PublishedEntries::open(&disk, arguments.from);
    let mut entries = entries.map_err(|error| error.to_string())?;
    let mut left = arguments.count.unwrap_or(usize::MAX);
    // What comes after the last one that is wanted is not read: it may be damaged.
    while left > 0
        && let Some(read) = entries.next()
    {
        let (index, entry) = read.map_err(|error| error.to_string())?;
        let event: Value = serde_json::from_slice(&entry)
            .map_err(|error| format!("entry {index} is no event: {error}"))?;
        if is_meant(arguments, &event) {
            left -= 1;
            if !take(index, &entry, &event) {
                break;
            }
        }
    }
    Ok(Exit::Fine)
}

fn is_meant(arguments: &Show, event: &Value) -> bool {
    let is = |found: Option<&str>, wanted: &Option<String>| {
        wanted.is_none() || found == wanted.as_deref()
    };
    let exchange = event.pointer("/metadata/correlation_uid");
    is(exchange.and_then(Value::as_str), &arguments.exchange)
        && is(Some(render::who(event)), &arguments.who)
}

fn prove(place: &Place, index: u64, config: &Path, output: &Output) -> Result<Exit, String> {
    let disk = SystemDisk::new(place.folder(config)?);
    let Some(proof) = postern_audit::prove(&disk, index) else {
        output.error(format_args!(
            "no entry is published at {index}, or what is published cannot be read"
        ));
        return Ok(Exit::Unreachable);
    };
    output.text(&proof.to_string());
    Ok(Exit::Fine)
}

fn verify_proof(arguments: &VerifyProof, output: &Output) -> Result<Exit, String> {
    let policy = policy_in(&arguments.policy)?;
    let proof = read(&arguments.proof)?;
    let verified = match (&arguments.entry, &arguments.receipt) {
        (Some(entry), _) => postern_audit::verify_proof(&proof, &read(entry)?, &policy)
            .map_err(|error| (of_proof(error), error.to_string())),
        (None, receipt) => {
            let receipt = receipt.as_deref().unwrap_or_default();
            postern_audit::verify_receipt(&proof, receipt, &policy)
                .map_err(|error| (of_receipt(error), error.to_string()))
        }
    };
    match verified {
        Ok(()) => {
            output.summary("the entry is in the log\n");
            Ok(Exit::Fine)
        }
        Err((exit, why)) => {
            output.error(format_args!(
                "this does not show that the entry is in the log: {why}"
            ));
            Ok(exit)
        }
    }
}

const fn of_proof(error: ProofError) -> Exit {
    match error {
        ProofError::NoProof => Exit::Unreadable,
        ProofError::AnotherEntry | ProofError::Note(_) => Exit::Tampered,
    }
}

const fn of_receipt(error: ReceiptError) -> Exit {
    match error {
        ReceiptError::NoProof | ReceiptError::NoReceipt => Exit::Unreadable,
        ReceiptError::AnotherEntry { .. }
        | ReceiptError::AnotherLog
        | ReceiptError::Older
        | ReceiptError::NotIncluded
        | ReceiptError::Note(_) => Exit::Tampered,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))
}
