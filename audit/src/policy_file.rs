//! Trust policies (C2SP tlog-policy): whose checkpoints are believed, and whose cosignatures they need.
//!
//! The log's line names its first key; later keys are believed because the key before them signed them
//! in the log. Only UTF-8 is read, which is stricter than the specification.

use std::collections::BTreeMap;

use crate::checkpoint::decimal;
use crate::vkey::{KeyKind, VerifierKey};

/// The name that stands for no cosignatures.
const NONE: &str = "none";

/// Why a policy is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {what}")]
pub struct PolicyError {
    /// Counted from 1; one past the last when something is missing.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// Who has to have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Nobody,
    Witness(VerifierKey),
    Group { needed: usize, members: Vec<Self> },
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    logs: Vec<VerifierKey>,
    witnesses: Vec<VerifierKey>,
    quorum: Rule,
}

impl PolicyFile {
    /// Reads a policy.
    ///
    /// # Errors
    /// At the first line that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let text = std::str::from_utf8(bytes).map_err(|_error| PolicyError {
            line: 1,
            what: "it is not UTF-8",
        })?;
        let mut reading = Reading::default();
        for (line, text) in (1..).zip(text.split('\n')) {
            reading
                .line(text)
                .map_err(|what| PolicyError { line, what })?;
        }
        let quorum = reading.quorum.ok_or_else(|| PolicyError {
            line: text.lines().count() + 1,
            what: "there is no `quorum`; where no witness has to cosign, say `quorum none`",
        })?;
        Ok(Self {
            logs: reading.logs,
            witnesses: reading.witnesses,
            quorum,
        })
    }

    /// The first keys of the logs that are believed.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses' keys.
    #[must_use]
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.witnesses
    }

    /// Whether cosignatures are needed at all.
    #[must_use]
    pub fn needs_witnesses(&self) -> bool {
        self.quorum != Rule::Nobody
    }

    /// Whether these keys are enough.
    #[must_use]
    pub fn is_quorum(&self, cosigners: &[&VerifierKey]) -> bool {
        self.quorum.is_met(cosigners)
    }
}

impl Rule {
    fn is_met(&self, cosigners: &[&VerifierKey]) -> bool {
        match self {
            Self::Nobody => true,
            Self::Witness(key) => cosigners.contains(&key),
            Self::Group { needed, members } => {
                members
                    .iter()
                    .filter(|member| member.is_met(cosigners))
                    .count()
                    >= *needed
            }
        }
    }
}

#[derive(Debug, Default)]
struct Reading {
    logs: Vec<VerifierKey>,
    witnesses: Vec<VerifierKey>,
    /// What names stand for; nothing once they are members of a group.
    rules: BTreeMap<String, Option<Rule>>,
    quorum: Option<Rule>,
}

impl Reading {
    fn line(&mut self, text: &str) -> Result<(), &'static str> {
        if text.contains(|c: char| c.is_ascii_control() && c != '\t') {
            return Err("it contains a control character");
        }
        let mut items = text.split([' ', '\t']).filter(|item| !item.is_empty());
        let keyword = match items.next() {
            None => return Ok(()),
            Some(keyword) if keyword.starts_with('#') => return Ok(()),
            Some(keyword) => keyword,
        };
        let items: Vec<&str> = items.collect();
        match (keyword, items.as_slice()) {
            ("log", [key] | [key, _]) => Self::add(&mut self.logs, key, KeyKind::Log).map(drop),
            ("witness", [name, key] | [name, key, _]) => {
                let key = Self::add(&mut self.witnesses, key, KeyKind::Witness)?;
                self.define(name, Rule::Witness(key))
            }
            ("group", [name, needed, members @ ..]) => {
                let rule = self.group(needed, members)?;
                self.define(name, rule)
            }
            ("quorum", [name]) => self.set_quorum(name),
            _ => Err("it is none of `log`, `witness`, `group` and `quorum` with what they need"),
        }
    }

    fn add(
        keys: &mut Vec<VerifierKey>,
        text: &str,
        kind: KeyKind,
    ) -> Result<VerifierKey, &'static str> {
        let key = VerifierKey::parse(text).filter(|key| key.kind() == kind);
        let key = key.ok_or("the key is malformed or not of this kind")?;
        if keys.iter().any(|known| known.public() == key.public()) {
            return Err("the key is there twice");
        }
        keys.push(key.clone());
        Ok(key)
    }

    fn define(&mut self, name: &str, rule: Rule) -> Result<(), &'static str> {
        if name == NONE || self.rules.insert(name.to_owned(), Some(rule)).is_some() {
            return Err("the name is taken");
        }
        Ok(())
    }

    fn group(&mut self, needed: &str, names: &[&str]) -> Result<Rule, &'static str> {
        let needed = match needed {
            "any" => 1,
            "all" => names.len(),
            number => decimal(number)
                .and_then(|number| usize::try_from(number).ok())
                .ok_or("the threshold is none of `any`, `all` and a number")?,
        };
        if needed == 0 || needed > names.len() {
            return Err("the threshold is not between 1 and the number of members");
        }
        let members = names.iter().map(|name| {
            let known = self
                .rules
                .get_mut(*name)
                .ok_or("a member is not defined above")?;
            known.take().ok_or("a member is in a group already")
        });
        let members = members.collect::<Result<_, _>>()?;
        Ok(Rule::Group { needed, members })
    }

    fn set_quorum(&mut self, name: &str) -> Result<(), &'static str> {
        let rule = match name {
            NONE => Rule::Nobody,
            name => {
                let known = self
                    .rules
                    .get(name)
                    .ok_or("the quorum is not defined above")?;
                known.clone().ok_or("the quorum is a member of a group")?
            }
        };
        match self.quorum.replace(rule) {
            None => Ok(()),
            Some(_) => Err("there are two `quorum` lines"),
        }
    }
}
