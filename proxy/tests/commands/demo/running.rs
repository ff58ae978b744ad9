//! A demo as somebody starts it: in an empty folder, and read from what it prints.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::browser::{Answer, Browser};
use crate::runner::{Folder, command};

/// The last line of what the demo prints.
const LAST_LINE: &str = "Ctrl-C stops everything.";

/// A running demo; killed when dropped.
pub(super) struct RunningDemo {
    child: Child,
    folder: Folder,
    printed: Vec<String>,
}

/// The printed matrix.
pub(super) struct Matrix {
    pub(super) roles: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl RunningDemo {
    /// Starts the demo on ports of its own and waits until it has printed everything.
    pub(super) fn start() -> Self {
        let folder = Folder::new();
        let any = "127.0.0.1:0";
        let mut child = command(folder.path())
            .args(["run", "--listen", any, "--admin", any, "--api", any])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.path().join("stderr.log")).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut demo = Self {
            child,
            folder,
            printed: Vec::new(),
        };
        demo.printed.extend(
            lines
                .map(Result::unwrap)
                .take_while(|line| line != LAST_LINE),
        );
        let ended = demo.child.try_wait().unwrap();
        let log = demo.folder.read("stderr.log");
        assert!(
            ended.is_none() && !demo.printed.is_empty(),
            "{ended:?}: {log}"
        );
        demo
    }

    /// The folder it was started in.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The printed `curl` lines that go through Postern.
    pub(super) fn curl_lines(&self) -> Vec<String> {
        let lines = self.printed.iter();
        let through = lines.filter(|line| line.starts_with("curl ") && line.contains("Bearer"));
        through.cloned().collect()
    }

    /// The token printed for a role.
    pub(super) fn token(&self, role: &str) -> String {
        let prefix = format!("{role}=");
        let mut lines = self.printed.iter();
        let token = lines.find_map(|line| line.strip_prefix(&prefix));
        token.unwrap().to_owned()
    }

    /// The printed table.
    pub(super) fn matrix(&self) -> Matrix {
        let table = self
            .printed
            .iter()
            .skip_while(|line| *line != "Who sees what:")
            .skip(2)
            .take_while(|line| !line.trim_start().starts_with("without a label"));
        let words = |line: &String| line.split_whitespace().map(str::to_owned).collect();
        let mut rows: Vec<Vec<String>> = table.map(words).collect();
        rows.retain(|row| !row.is_empty());
        let roles = rows.remove(0);
        Matrix { roles, rows }
    }

    /// Does what a printed `curl` line does.
    pub(super) fn run_line(&self, line: &str) -> Answer {
        let role = between(line, "Bearer $", "\"").unwrap();
        let url = line.rsplit('\'').nth(1).unwrap();
        Browser {
            method: between(line, "-X ", " ").unwrap_or("GET"),
            token: &self.token(role),
            body: between(line, "-d '", "'"),
        }
        .ask(url)
    }

    /// A GET as a role, by the printed address and token.
    pub(super) fn curl(&self, role: &str, target: &str) -> Answer {
        self.with_token(&self.token(role), target)
    }

    /// A GET with any token.
    pub(super) fn with_token(&self, token: &str, target: &str) -> Answer {
        let first = self.curl_lines();
        let host = between(&first[0], "'http://", "/").unwrap();
        Browser {
            method: "GET",
            token,
            body: None,
        }
        .ask(&format!("http://{host}{target}"))
    }

    /// A write as a role, with a JSON body.
    pub(super) fn write(&self, role: &str, method: &str, target: &str, body: &str) -> Answer {
        let first = self.curl_lines();
        let host = between(&first[0], "'http://", "/").unwrap();
        Browser {
            method,
            token: &self.token(role),
            body: Some(body),
        }
        .ask(&format!("http://{host}{target}"))
    }

    /// A GET to the case API, past Postern.
    pub(super) fn straight(&self, target: &str) -> Answer {
        let prefix = "curl -s 'http://";
        let mut lines = self.printed.iter();
        let line = lines.find(|line| line.starts_with(prefix)).unwrap();
        let host = between(line, "'http://", "/").unwrap();
        Browser {
            method: "GET",
            token: "",
            body: None,
        }
        .ask(&format!("http://{host}{target}"))
    }

    /// Sends a signal and waits for the end; the exit code.
    pub(super) fn stop(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }
}

impl Matrix {
    /// Every label of the table.
    pub(super) fn labels(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row[0].as_str()).collect()
    }

    /// The cell of a label and a role.
    pub(super) fn action(&self, label: &str, role: &str) -> &str {
        let column = self.roles.iter().position(|known| known == role).unwrap();
        let row = self.rows.iter().find(|row| row[0] == label).unwrap();
        &row[column + 1]
    }
}

impl Drop for RunningDemo {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
