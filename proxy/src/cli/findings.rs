//! What `check` has to say about a file, as plain values, and how tools read them: JSON, SARIF, JUnit
//! and workflow annotations.

mod github;
mod junit;
mod sarif;

use postern_config::policy::error::{PolicyError, PolicyErrors, Severity};
use serde_json::{Value, json};

use crate::load::LoadError;

pub(super) use github::github;
pub(super) use junit::junit;
pub(super) use sarif::sarif;

/// The code of a finding about a file that could not even be read, or an address that did not answer.
const UNREADABLE: &str = "unreadable";

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// The file does not load, or something it needs is not there.
    Error,
    /// The file loads and could be better.
    Warning,
}

/// One thing to say about one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) file: String,
    /// 1-based; 0 when the finding is about the whole file.
    pub(super) line: usize,
    /// 1-based, in characters.
    pub(super) column: usize,
    /// In characters.
    pub(super) width: usize,
    pub(super) help: Option<String>,
}

impl Finding {
    /// A finding without a place in the file.
    pub(super) fn of_file(file: &str, message: String) -> Self {
        Self {
            level: Level::Error,
            code: UNREADABLE.to_owned(),
            message,
            file: file.to_owned(),
            line: 0,
            column: 0,
            width: 0,
            help: None,
        }
    }

    /// Every finding of a report.
    pub(super) fn of_report(report: &PolicyErrors) -> Vec<Self> {
        let of_error = |error: &PolicyError| {
            let meant = error.did_you_mean.as_ref();
            let meant = meant.map(|word| format!("did you mean `{word}`?"));
            let help = meant.into_iter().chain(error.help.clone());
            let help = help.collect::<Vec<_>>().join(" ");
            Self {
                level: match error.severity() {
                    Severity::Error => Level::Error,
                    Severity::Lint => Level::Warning,
                },
                code: error.code.to_owned(),
                message: error.message.clone(),
                file: report.file.clone(),
                line: error.line,
                column: error.column,
                width: error.width,
                help: Some(help).filter(|help| !help.is_empty()),
            }
        };
        report.errors.iter().map(of_error).collect()
    }

    /// Why a file does not load.
    pub(super) fn of_load_error(error: &LoadError) -> Vec<Self> {
        match error {
            LoadError::Policy(report) => Self::of_report(report),
            LoadError::Read { path, message } | LoadError::Unsigned { path, message } => {
                vec![Self::of_file(path, message.clone())]
            }
            LoadError::Compile { path, error } => vec![Self::of_file(path, error.to_string())],
            LoadError::Identity(_) | LoadError::Secret { .. } | LoadError::Unrecorded(_) => {
                vec![Self::of_file("", error.to_string())]
            }
        }
    }

    /// The finding as a JSON object.
    pub(super) fn as_json(&self) -> Value {
        json!({
            "level": self.level.word(),
            "code": self.code,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "width": self.width,
            "help": self.help,
        })
    }

    /// The message, and what to do about it, in one line.
    fn full_message(&self) -> String {
        match &self.help {
            Some(help) => format!("{} ({help})", self.message),
            None => self.message.clone(),
        }
    }
}

impl Level {
    /// The word every format here uses.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}
