//! The one place where the command line writes: results to standard output, everything else to
//! standard error.
//!
//! A reader that goes away (`postern matrix | head`) is no error. Any other fault of standard output, such as a
//! full disk, is said once, nothing more is written after it, and the exit code tells too: no result is cut
//! in silence. Control characters of foreign text are not this module's business: whoever quotes a file cleans
//! what it quotes.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use postern_audit::OpenError;
use serde_json::Value;

use crate::load::LoadError;

use super::findings::Finding;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0
    Fine,
    /// 1: findings, or something differs.
    Findings,
    /// 2: the input cannot be read.
    Unreadable,
    /// 3: what was asked for cannot be reached.
    Unreachable,
    /// 4: the evidence does not verify.
    Tampered,
    /// 74: the audit log is damaged or was rolled back, so Postern does not start.
    AuditLogDamaged,
    /// 78: another process has the audit log, so Postern does not start.
    AuditLogLocked,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text for people
    Human,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning (`check`)
    Sarif,
    /// JUnit XML, for test reports (`check`)
    Junit,
    /// Workflow commands that annotate a change (`check`)
    Github,
}

/// Whether to colour text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where a command writes.
#[derive(Debug)]
pub(super) struct Output {
    format: Format,
    color: Color,
    quiet: bool,
    /// Standard output took not everything, for another reason than that nobody reads it.
    cut: AtomicBool,
}

impl Exit {
    /// Why the audit log could not be opened, as a code.
    pub(super) const fn of_log(error: &OpenError) -> Self {
        match error {
            OpenError::Locked => Self::AuditLogLocked,
            OpenError::Damaged { .. } | OpenError::RolledBack { .. } | OpenError::Forked { .. } => {
                Self::AuditLogDamaged
            }
            OpenError::Key { .. }
            | OpenError::Domain(_)
            | OpenError::Disk(_)
            | OpenError::Append(_) => Self::Unreadable,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::Unreadable => 2,
            Exit::Unreachable => 3,
            Exit::Tampered => 4,
            Exit::AuditLogDamaged => 74,
            Exit::AuditLogLocked => 78,
        })
    }
}

impl Output {
    pub(super) const fn new(format: Format, color: Color, quiet: bool) -> Self {
        Self {
            format,
            color,
            quiet,
            cut: AtomicBool::new(false),
        }
    }

    /// How results are to be written.
    pub(super) const fn format(&self) -> Format {
        self.format
    }

    /// Whether text on standard error may be coloured.
    pub(super) fn colors_errors(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && io::stderr().is_terminal()
            }
        }
    }

    /// Writes a result.
    pub(super) fn text(&self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes part of a result that people read, unless only trouble is wanted.
    pub(super) fn summary(&self, text: &str) {
        if !self.quiet {
            self.text(text);
        }
    }

    /// Writes a result as JSON.
    pub(super) fn json(&self, value: &Value) {
        self.text(&format!("{value:#}\n"));
    }

    /// Writes bytes of a result. False when no more of it need come: nobody reads any more, or it cannot be
    /// written, which has been said by then.
    pub(super) fn bytes(&self, bytes: &[u8]) -> bool {
        if self.cut.load(Ordering::Relaxed) {
            return false;
        }
        let Err(error) = to_stdout(bytes) else {
            return true;
        };
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.cut.store(true, Ordering::Relaxed);
            self.error(unwritten(&error));
        }
        false
    }

    /// Writes bytes of a result that is of no use in part: also a reader that went away is told.
    ///
    /// # Errors
    /// One line that says why standard output does not take them.
    pub(super) fn all_bytes(&self, bytes: &[u8]) -> Result<(), String> {
        to_stdout(bytes).map_err(|error| unwritten(&error))
    }

    /// How a command ended that ended so, given what became of its result: what was cut is not fine, and
    /// is no list of findings.
    pub(super) fn ended(&self, exit: Exit) -> Exit {
        match exit {
            Exit::Fine | Exit::Findings if self.cut.load(Ordering::Relaxed) => Exit::Unreadable,
            Exit::Fine
            | Exit::Findings
            | Exit::Unreadable
            | Exit::Unreachable
            | Exit::Tampered
            | Exit::AuditLogDamaged
            | Exit::AuditLogLocked => exit,
        }
    }

    /// Says in one line on standard error what is wrong.
    pub(super) fn error(&self, message: impl Display) {
        to_stderr(&format!("postern: {message}\n"));
    }

    /// Says something worth knowing on standard error, unless only trouble is wanted.
    pub(super) fn note(&self, message: impl Display) {
        if !self.quiet {
            to_stderr(&format!("{message}\n"));
        }
    }

    /// Writes a report on standard error, as it is.
    pub(super) fn report(&self, report: &str) {
        to_stderr(report);
    }

    /// Says why a file does not load: a JSON document on standard output when JSON was asked for,
    /// else the report on standard error.
    pub(super) fn load_failure(&self, error: &LoadError) -> Exit {
        if self.format == Format::Json {
            let findings: Vec<_> = Finding::of_load_error(error)
                .iter()
                .map(Finding::as_json)
                .collect();
            self.json(&serde_json::json!({ "loads": false, "findings": findings }));
        } else {
            to_stderr(&self.load_report(error));
        }
        Exit::Unreadable
    }

    /// Says what to name when neither a policy nor a server file is there.
    pub(super) fn no_server_file(&self, config: &Path) -> Exit {
        self.error(format_args!(
            "there is no server file `{}`; name a policy, or a server file with `-c FILE` or in `POSTERN_CONFIG`",
            config.display()
        ));
        Exit::Unreadable
    }

    /// The report of a file that does not load, for people.
    pub(super) fn load_report(&self, error: &LoadError) -> String {
        error.report(self.colors_errors())
    }

    /// Whether the format is one that every command writes; says so when not.
    pub(super) fn is_human_or_json(&self) -> bool {
        let can = matches!(self.format, Format::Human | Format::Json);
        if !can {
            self.error("only `check` writes sarif, junit and github; use `-o human` or `-o json`");
        }
        can
    }
}

/// Answers a command line that does not parse, or one that asks for help or the version.
pub(super) fn usage(error: &clap::Error) -> Exit {
    let printed = error.print().and_then(|()| io::stdout().flush());
    if error.use_stderr() {
        return Exit::Unreadable;
    }
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            to_stderr(&format!("postern: {}\n", unwritten(&error)));
            Exit::Unreadable
        }
        Ok(()) | Err(_) => Exit::Fine,
    }
}

fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

fn unwritten(error: &io::Error) -> String {
    format!("cannot write standard output: {error}")
}

fn to_stderr(text: &str) {
    io::stderr()
        .lock()
        .write_all(text.as_bytes())
        .unwrap_or_default();
}
