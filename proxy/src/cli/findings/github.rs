//! Findings as workflow commands, which annotate the changed lines of a pull request.

use super::Finding;

/// One line for each finding.
pub(crate) fn github(findings: &[Finding]) -> String {
    findings.iter().map(command).collect()
}

fn command(finding: &Finding) -> String {
    let place = if finding.line > 0 {
        format!(
            ",line={},col={},endColumn={}",
            finding.line,
            finding.column,
            finding.column + finding.width
        )
    } else {
        String::new()
    };
    format!(
        "::{level} file={file}{place},title={code}::{message}\n",
        level = finding.level.word(),
        file = property(&finding.file),
        code = property(&finding.code),
        message = escaped(&finding.full_message()),
    )
}

/// A command ends at a line break, and `%` begins an escape.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property also ends at a comma, and its name at a colon.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_begin_another_command() {
        let finding = Finding::of_file("a,b:c", "x\n::error::y".to_owned());
        assert_eq!(
            github(&[finding]),
            "::error file=a%2Cb%3Ac,title=unreadable::x%0A::error::y\n"
        );
    }
}
