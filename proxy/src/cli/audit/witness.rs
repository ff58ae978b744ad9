//! `postern audit witness`: a witness (C2SP tlog-witness) for logs on other hosts.
//!
//! It cosigns a checkpoint when it continues the one before, and keeps what it has cosigned before it
//! answers. It sees sizes and hashes, never an entry.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use clap::Args;
use postern_audit::{Disk, KeyKind, Lock, Signer, SystemDisk, Witness};

use crate::cli::output::{Exit, Output};
use crate::clock::{Clock as _, SystemClock};
use crate::evidence::log_keys;
use crate::private_file;

/// The private key's file, in the witness's folder.
const SEED_FILE: &str = "witness.seed";
/// The file that is locked, in the witness's folder.
const LOCK_FILE: &str = "lock";
/// The longest request, in bytes.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// The arguments of `postern audit witness`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// The folder for the private key and for what was cosigned
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The witness's name, a domain of yours
    #[arg(long, value_name = "NAME")]
    name: String,
    /// A file with the public keys of the logs that are watched, one on each line (`keys/log.vkey`, or what
    /// `postern audit keys` prints behind `log`)
    #[arg(long = "log", value_name = "FILE", required = true)]
    logs: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, String> {
    let (witness, _lock) = witness(arguments)?;
    output.text(&format!("{}\n", witness.key()));
    output.note(format_args!(
        "that is the witness's key: put it into `audit.witnesses` of the logs and into the verifiers' policy; \
         listening on http://{}",
        arguments.listen
    ));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
        axum::serve(listener, routes(Arc::new(witness))).await
    });
    served.map_err(|error| format!("cannot listen on `{}`: {error}", arguments.listen))?;
    Ok(Exit::Fine)
}

/// The witness, and the lock on its folder: two that decide by themselves could cosign what does not agree.
fn witness(arguments: &Arguments) -> Result<(Witness, Box<dyn Lock>), String> {
    let mut logs = Vec::new();
    for path in &arguments.logs {
        let text = super::read(path)?;
        let keys = log_keys(&String::from_utf8_lossy(&text)).map_err(|(number, _)| {
            format!(
                "line {number} of `{}` is no key of a log: name its `keys/log.vkey`, or what `postern audit keys` \
                 prints behind `log`",
                path.display()
            )
        })?;
        logs.extend(keys);
    }
    fs::create_dir_all(&arguments.dir)
        .map_err(|error| format!("`{}` cannot be made: {error}", arguments.dir.display()))?;
    let disk = SystemDisk::new(arguments.dir.clone());
    let lock = disk.lock(LOCK_FILE).map_err(|error| {
        let folder = arguments.dir.display();
        format!("`{folder}` cannot be locked; is it another witness's? {error}")
    })?;
    let path = arguments.dir.join(SEED_FILE);
    let seed = private_file::secret(&path)
        .map_err(|message| format!("the private key, `{}`: {message}", path.display()))?;
    let signer = Signer::from_seed(&arguments.name, KeyKind::Witness, &seed)
        .ok_or_else(|| format!("`{}` cannot name a witness", arguments.name))?;
    Ok((Witness::new(signer, logs, Arc::new(disk)), lock))
}

/// The witness over HTTP.
pub(super) fn routes(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/key", get(key))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(witness)
}

async fn key(State(witness): State<Arc<Witness>>) -> String {
    format!("{}\n", witness.key())
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let now = SystemClock.wall();
    // It syncs files.
    let answering = move || witness.add_checkpoint(&body, now);
    let Ok(answer) = tokio::task::spawn_blocking(answering).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        [(header::CONTENT_TYPE, answer.content_type)],
        answer.body,
    )
        .into_response()
}
