//! `postern pseudonym`: the tokens that a value has for a reader, one for each key, to find out whose a
//! token is.
//!
//! With a server file the keys are its own, and the tokens are those that its proxy makes and has made.
//! Without one they are made with the fixed test key of offline commands, as by `postern redact`.
//!
//! SECURITY: whoever can run this with the real keys can try values until a token fits. That needs read
//! access to the keys, and nothing else gives it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use postern_config::identity::IdentityRule;
use postern_config::{Action, Label, Policy, PseudonymScope, Role};
use postern_filters::value_action::JsonKind;
use postern_filters::{Identity, PseudonymKeys, Pseudonymizer};
use serde_json::json;

use crate::load;

use super::output::{Exit, Format, Output};
use super::{check, explain, wording};

/// The longest value that is read from standard input, with its line break.
const VALUE_BYTES_MAX: usize = 1 << 20;

/// What is said of tokens that no proxy makes.
pub(super) const OF_TEST_KEY: &str = "made with the fixed test key: no proxy makes these tokens";

/// The arguments of `postern pseudonym`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy [default: the one the server file names]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The label of the field
    #[arg(long)]
    label: String,
    /// A role that the reader has; may be repeated
    #[arg(long, required = true, value_name = "ROLE")]
    role: Vec<String>,
    /// Who reads
    #[arg(long, value_name = "ID", default_value = "offline")]
    identity: String,
    /// Who vouches for the reader [default: as the policy's identity source says; `offline` without keys]
    #[arg(long)]
    issuer: Option<String>,
    /// The tenant of who reads
    #[arg(long)]
    tenant: Option<String>,
    /// The case that is read
    #[arg(long)]
    case: Option<String>,
    /// The value is a number
    #[arg(long)]
    number: bool,
    /// The value; `-` reads it from standard input, so that it stays out of the shell's history
    value: String,
}

/// The keys, and whether they are those of a proxy.
struct Keys {
    keys: PseudonymKeys,
    real: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    if !output.is_human_or_json() {
        return Exit::Unreadable;
    }
    let (path, keys) = match source(arguments, config, output) {
        Ok(source) => source,
        Err(exit) => return exit,
    };
    let loaded = match check::load_offline(&path) {
        Ok(loaded) => loaded,
        Err(error) => return output.load_failure(&error),
    };
    let Some(policy) = loaded.compiled.policy() else {
        return Exit::Unreadable;
    };
    let tokens = value(arguments).and_then(|value| tokens(arguments, policy, &keys, &value));
    match tokens {
        Ok((scope, tokens)) => {
            if !keys.real {
                output.note(OF_TEST_KEY);
            }
            match output.format() {
                Format::Json => output.json(&json!({ "action": scope, "tokens": tokens })),
                Format::Human | Format::Sarif | Format::Junit | Format::Github => {
                    output.text(&format!("{}\n", tokens.join("\n")));
                }
            }
            Exit::Fine
        }
        Err(reason) => {
            output.error(reason);
            Exit::Unreadable
        }
    }
}

/// The policy's path, and the keys: those of the server file where there is one.
fn source(arguments: &Arguments, config: &Path, output: &Output) -> Result<(PathBuf, Keys), Exit> {
    if !config.exists() {
        let path = arguments.policy.clone();
        let keys = PseudonymKeys::for_offline_use();
        let path = path.ok_or_else(|| output.no_server_file(config))?;
        return Ok((path, Keys { keys, real: false }));
    }
    let server = load::load_server(config).map_err(|error| output.load_failure(&error))?;
    let base = load::base_of(config);
    let keys = load::pseudonym_keys(&server, base).map_err(|error| output.load_failure(&error))?;
    let path = arguments.policy.clone();
    let path = path.unwrap_or_else(|| base.join(&server.policy));
    Ok((path, Keys { keys, real: true }))
}

/// The value as JSON text.
fn value(arguments: &Arguments) -> Result<String, String> {
    let mut text = arguments.value.clone();
    if text == "-" {
        text = read(io::stdin().lock())?;
        let line = load::without_line_break(text.as_bytes()).len();
        text.truncate(line);
    }
    if !arguments.number {
        return Ok(serde_json::Value::from(text).to_string());
    }
    let read = serde_json::from_str(&text);
    match read {
        Ok(serde_json::Value::Number(_)) if text.trim() == text => Ok(text),
        Ok(_) | Err(_) => Err("the value is no JSON number".to_owned()),
    }
}

/// A value to its end. One that is too long is refused: a part of it has another token.
fn read(input: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut input = input.take(VALUE_BYTES_MAX as u64 + 1);
    input
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read standard input: {error}"))?;
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(format!(
            "the value is longer than {VALUE_BYTES_MAX} bytes, which is the most that is read"
        ));
    }
    String::from_utf8(bytes).map_err(|_odd| "the value is not UTF-8".to_owned())
}

/// The scope in words, and a token for each key, the newest first.
fn tokens(
    arguments: &Arguments,
    policy: &Policy,
    keys: &Keys,
    value: &str,
) -> Result<(String, Vec<String>), String> {
    let roles: Result<Vec<&Role>, String> = arguments
        .role
        .iter()
        .map(|name| explain::known_role(policy, name))
        .collect();
    let label = known_label(policy, &arguments.label)?;
    let action = policy.action_of_all(&roles?, label);
    let Action::Pseudonym(scope) = action else {
        let seen = wording::action(&action);
        return Err(format!(
            "`{}` is no token here, it is seen as: {seen}",
            label.as_str()
        ));
    };
    let reader = Identity {
        issuer: issuer(arguments, policy, keys),
        subject: arguments.identity.clone(),
        tenant: arguments.tenant.clone(),
        groups: arguments.role.clone(),
    };
    let made_by = Pseudonymizer::new(&keys.keys, &reader, &arguments.role);
    let made_by = made_by.ok_or("the server file names no key under `keys.pseudonym`")?;
    let made_by = match &arguments.case {
        Some(case) => made_by.for_case(case),
        None if scope == PseudonymScope::Case => {
            return Err("`--case` is missing: the tokens differ from case to case".to_owned());
        }
        None => made_by,
    };
    let kind = match arguments.number {
        true => JsonKind::Number,
        false => JsonKind::String,
    };
    let tokens = made_by.tokens_of(scope, kind, value.as_bytes());
    if tokens.is_empty() {
        return Err("this value has no token".to_owned());
    }
    Ok((wording::action(&action), tokens))
}

fn known_label<'a>(policy: &'a Policy, name: &str) -> Result<&'a Label, String> {
    let mut labels = policy.labels.iter().map(|(label, _)| label);
    labels.find(|label| label.as_str() == name).ok_or_else(|| {
        let known = wording::list(policy.labels.iter().map(|(label, _)| label.as_str()));
        format!("`{name}` is no label of this policy; there are: {known}")
    })
}

/// Who vouches for readers where the proxy runs; offline commands have a name of their own.
fn issuer(arguments: &Arguments, policy: &Policy, keys: &Keys) -> String {
    if let Some(issuer) = &arguments.issuer {
        return issuer.clone();
    }
    match &policy.identity {
        _ if !keys.real => "offline".to_owned(),
        IdentityRule::Jwt(rule) => rule.issuer.clone(),
        IdentityRule::Mtls(_) => "mtls".to_owned(),
        IdentityRule::Header(_) => "header".to_owned(),
        IdentityRule::Session(_) => "session".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_whole_or_refused() {
        let longest = "x".repeat(VALUE_BYTES_MAX);
        assert_eq!(read(longest.as_bytes()).unwrap(), longest);
        let refused = read(format!("{longest}x").as_bytes()).unwrap_err();
        assert!(refused.contains("longer than 1048576 bytes"), "{refused}");
        assert!(read(&b"\xff"[..]).unwrap_err().contains("UTF-8"));
    }
}
