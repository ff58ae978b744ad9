//! `postern sign`: signs a policy with a version, for a Postern whose server file names the key under
//! `policy_signers`.
//!
//! The private key belongs to whoever reviews policies, and not on the host where Postern runs.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use postern_audit::{KeyKind, Signer};

use crate::policy_signature;
use crate::private_file;

use super::check;
use super::output::{Exit, Output};

/// The arguments of `postern sign`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file with the private key; it is made when there is none
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The key's name, a domain of yours
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The policy's version, past that of every policy that was in force before
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    version: u64,
    /// The policy; its note is written beside it, as `FILE.note`
    #[arg(value_name = "FILE")]
    policy: PathBuf,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    if !output.is_human_or_json() {
        return Exit::Unreadable;
    }
    let loaded = match check::load_offline(&arguments.policy) {
        Ok(loaded) => loaded,
        Err(error) => return output.load_failure(&error),
    };
    if !loaded.is_whole() {
        output.error(
            "the key file that the policy names belongs to what is signed, and is not there",
        );
        return Exit::Unreadable;
    }
    let signer = match signer(arguments) {
        Ok(signer) => signer,
        Err(reason) => {
            output.error(reason);
            return Exit::Unreadable;
        }
    };
    let note = policy_signature::sign(&signer, arguments.version, &loaded);
    let path = policy_signature::note_of(&arguments.policy);
    if let Err(error) = fs::write(&path, note) {
        output.error(format_args!("cannot write `{}`: {error}", path.display()));
        return Exit::Unreadable;
    }
    output.note(format_args!(
        "`{}` signs version {}; Postern asks for it where the server file names this key under `policy_signers`",
        path.display(),
        arguments.version
    ));
    output.text(&format!("{}\n", signer.key()));
    Exit::Fine
}

fn signer(arguments: &Arguments) -> Result<Signer, String> {
    let seed = private_file::secret(&arguments.key)
        .map_err(|message| format!("the private key, `{}`: {message}", arguments.key.display()))?;
    Signer::from_seed(&arguments.name, KeyKind::Log, &seed)
        .ok_or_else(|| format!("`{}` cannot name a key", arguments.name))
}
