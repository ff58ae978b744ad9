//! `postern redact`: the engine on standard input, as the proxy runs it.
//!
//! SECURITY: as in the proxy, nothing is written before the whole document, or more than
//! [`HELD_WHOLE_BYTES`] of it, has been read and found good; what is written later has been proven
//! safe to stream. Pseudonyms are made with a fixed test key and match those of no proxy.

use std::io::{self, Read as _};
use std::path::PathBuf;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::HeaderMap;
use postern_config::server::Limits;
use postern_config::{Action, FormatKind, Role};
use postern_filters::pipeline::HELD_WHOLE_BYTES;
use postern_filters::{
    BodyPipeline, CompiledPolicy, ExchangePlan, Identity, RequestFacts, Verdict,
};

use crate::hygiene::{HeadLimits, HostRule, clean_h1};

use super::output::{Exit, Output};
use super::{check, explain, pseudonym, wording};

/// How much of standard input is read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// The arguments of `postern redact`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// A role that the reader has; may be repeated
    #[arg(long, required = true, value_name = "ROLE")]
    role: Vec<String>,
    /// The route whose answer is on standard input
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "request",
        conflicts_with = "request"
    )]
    route: Option<String>,
    /// The request whose answer is on standard input, such as 'GET /api/v2/cases/7'
    #[arg(long, value_name = "METHOD TARGET")]
    request: Option<String>,
    /// The format of the document, one that the route declares; by default JSON, or the route's first
    #[arg(long, value_enum)]
    format: Option<DocumentFormat>,
    /// The label of the text, with `--format text`; by default the one that the route searches
    #[arg(long)]
    label: Option<String>,
    /// Who reads (pseudonyms differ by reader)
    #[arg(long, value_name = "ID", default_value = "offline")]
    identity: String,
    /// The tenant of who reads
    #[arg(long)]
    tenant: Option<String>,
}

/// What can be on standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DocumentFormat {
    /// One JSON document
    Json,
    /// JSON documents, one a line
    Ndjson,
    /// JSON text sequences (RFC 7464)
    JsonSeq,
    /// Comma-separated values with a header row
    Csv,
    /// Tab-separated values with a header row
    Tsv,
    /// One free text in UTF-8, searched as `detect` says
    Text,
    /// XML (not in this build yet)
    Xml,
    /// HTML (not in this build yet)
    Html,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let loaded = match check::load_offline(&arguments.policy) {
        Ok(loaded) => loaded,
        Err(error) => return output.load_failure(&error),
    };
    let plan = match plan(arguments, &loaded.compiled) {
        Ok(plan) => plan,
        Err(reason) => {
            output.error(reason);
            return Exit::Unreadable;
        }
    };
    let withheld = pipeline(arguments, &plan).and_then(|body| stream(body, output));
    match withheld {
        Ok(labels) => {
            if has_tokens(&loaded.compiled, &plan, &labels) {
                output.note(format_args!("pseudonyms are {}", pseudonym::OF_TEST_KEY));
            }
            Exit::Fine
        }
        Err(reason) => {
            output.error(reason);
            Exit::Unreadable
        }
    }
}

/// What a document of this format goes through; else one line that says why it is not read.
fn pipeline(arguments: &Arguments, plan: &ExchangePlan) -> Result<BodyPipeline, String> {
    if arguments.label.is_some() && arguments.format != Some(DocumentFormat::Text) {
        return Err("`--label` belongs to `--format text`".to_owned());
    }
    let kind = match arguments.format {
        Some(DocumentFormat::Json) => Some(FormatKind::Json),
        Some(DocumentFormat::Ndjson) => Some(FormatKind::Ndjson),
        Some(DocumentFormat::JsonSeq) => Some(FormatKind::JsonSeq),
        Some(DocumentFormat::Csv) => Some(FormatKind::Csv),
        Some(DocumentFormat::Tsv) => Some(FormatKind::Tsv),
        Some(DocumentFormat::Text) => return text(arguments.label.as_deref(), plan),
        Some(DocumentFormat::Xml | DocumentFormat::Html) => {
            return Err("this `--format` is not in this build yet".to_owned());
        }
        None => None,
    };
    let declared = || plan.formats().iter().map(|format| format.kind);
    let default = declared()
        .find(|kind| *kind == FormatKind::Json)
        .or_else(|| declared().next());
    let kind = kind.or(default).unwrap_or(FormatKind::Json);
    plan.pipeline(kind).ok_or_else(|| {
        let words: Vec<String> = declared()
            .map(|kind| format!("`{}`", kind.word()))
            .collect();
        format!(
            "route `{}` answers in {}, and not in `{}`: the proxy would refuse such a body",
            plan.route(),
            words.join(", "),
            kind.word()
        )
    })
}

/// What one free text goes through, as a value of a label.
fn text(label: Option<&str>, plan: &ExchangePlan) -> Result<BodyPipeline, String> {
    let searched = plan.searched_labels();
    let label = match (label, searched.as_slice()) {
        (Some(label), _) => label,
        (None, [only]) => only,
        (None, []) => {
            return Err(format!(
                "`detect` says nothing about any label of route `{}`: name one with `--label`",
                plan.route()
            ));
        }
        (None, several) => {
            return Err(format!(
                "`detect` is about several labels of route `{}`: choose with `--label` one of {}",
                plan.route(),
                wording::list(several.iter().copied())
            ));
        }
    };
    plan.text_pipeline(label)
        .ok_or_else(|| format!("the policy has no label `{label}`"))
}

/// What the policy plans for this route or request and these roles; else one line that says why not.
fn plan(arguments: &Arguments, compiled: &CompiledPolicy) -> Result<ExchangePlan, String> {
    if let Some(policy) = compiled.policy() {
        for role in &arguments.role {
            explain::known_role(policy, role)?;
        }
    }
    let identity = Identity {
        issuer: "offline".to_owned(),
        subject: arguments.identity.clone(),
        tenant: arguments.tenant.clone(),
        groups: arguments.role.clone(),
    };
    if let Some(route) = &arguments.route {
        if let Some(policy) = compiled.policy() {
            explain::known_route(policy, route)?;
        }
        return compiled
            .plan(route, &identity)
            .map_err(|reason| explain::refusal(&reason));
    }
    let request = arguments.request.as_deref().unwrap_or_default();
    decide(request, compiled, &identity)
}

fn decide(
    request: &str,
    compiled: &CompiledPolicy,
    identity: &Identity,
) -> Result<ExchangePlan, String> {
    let (method, target) = request
        .trim()
        .split_once(' ')
        .ok_or("`--request` wants a method and a path, such as 'GET /api/v2/cases/7'")?;
    let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let limits = HeadLimits::of(&Limits::default());
    let clean = clean_h1(head.as_bytes(), limits, &HostRule::default())
        .map_err(|refusal| format!("`--request`: {refusal}"))?;
    let facts = RequestFacts {
        method: clean.method.as_str(),
        path: &clean.path,
        query: clean.query.as_deref(),
        headers: &HeaderMap::new(),
        upgrade: false,
        has_body: false,
        identity,
    };
    match compiled.decide(&facts) {
        Verdict::Allow(plan) => Ok(*plan),
        Verdict::Deny(reason) => Err(explain::refusal(&reason)),
    }
}

/// Whether tokens stand for some of what was withheld of these labels.
fn has_tokens(compiled: &CompiledPolicy, plan: &ExchangePlan, labels: &[String]) -> bool {
    let Some(policy) = compiled.policy() else {
        return false;
    };
    let roles = plan
        .roles()
        .iter()
        .filter_map(|name| policy.roles.get(name));
    let roles: Vec<&Role> = roles.collect();
    let withheld = policy.labels.iter().map(|(label, _)| label);
    let mut withheld = withheld.filter(|label| labels.iter().any(|name| name == label.as_str()));
    withheld.any(|label| match policy.action_of_all(&roles, label) {
        Action::Pseudonym(_) => true,
        Action::Detect => policy
            .detection(label)
            .is_some_and(|detection| matches!(detection.then, Action::Pseudonym(_))),
        Action::Show
        | Action::Mask(_)
        | Action::Generalize(_)
        | Action::Redact { .. }
        | Action::Remove => false,
    })
}

/// Runs standard input through the pipeline and says of which labels something was withheld; the error is one
/// line without any of the document.
fn stream(mut pipeline: BodyPipeline, output: &Output) -> Result<Vec<String>, String> {
    let mut input = io::stdin().lock();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut held = Some(Vec::new());
    loop {
        let read = match input.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("cannot read standard input: {error}")),
        };
        let redacted = if read == 0 {
            pipeline.finish()
        } else {
            let bytes = chunk.get(..read).unwrap_or_default();
            pipeline.push(Bytes::copy_from_slice(bytes))
        };
        let redacted = redacted.map_err(|error| error.to_string())?.into_bytes();
        let release = read == 0 || pipeline.decoded_bytes() > HELD_WHOLE_BYTES;
        match held.take() {
            Some(mut before) => {
                before.extend_from_slice(&redacted);
                if release {
                    output.all_bytes(&before)?;
                } else {
                    held = Some(before);
                }
            }
            None => output.all_bytes(&redacted)?,
        }
        if read == 0 {
            return Ok(pipeline.summary().withheld.keys().cloned().collect());
        }
    }
}
