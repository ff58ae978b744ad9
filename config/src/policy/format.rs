//! `postern fmt`: the layout of a policy file, with every comment kept.
//!
//! Guarantees: the result says what the text said, entry by entry in the same order, which is checked
//! before it is returned; formatting twice is formatting once. It changes line ends, blanks at line
//! ends, runs of blank lines, the final line end, and the indentation where that is safe. It does not
//! reorder, quote or rewrap anything.

use crate::document::Node;
use crate::policy::error::{PolicyErrors, Problems};

/// The columns of one level of indentation.
const INDENT: usize = 2;

/// The text in the canonical layout.
///
/// # Errors
/// The text is not YAML that Postern reads, or writes a key twice. It need not be a valid policy.
pub fn format(text: &str) -> Result<String, PolicyErrors> {
    let before = read(text)?;
    let plain = plain_lines(text);
    let indented = indented_lines(&plain);
    let candidates = [joined(&indented), joined(&plain)];
    let kept = candidates.into_iter().find(|candidate| {
        // A block scalar may hold what looks like layout; then less is changed, or nothing.
        let same = read(candidate).is_ok_and(|after| after.says_the_same(&before));
        same && joined(&plain_lines(candidate)) == *candidate
    });
    Ok(kept.unwrap_or_else(|| text.to_owned()))
}

fn read(text: &str) -> Result<Node, PolicyErrors> {
    let mut problems = Problems::default();
    let node = Node::read(text, &mut problems);
    let errors = problems.into_errors("policy", text);
    match node {
        Some(node) if errors.errors.is_empty() => Ok(node),
        _ => Err(errors),
    }
}

/// Lines without blanks at their ends, and at most one blank line in a row, none first or last.
fn plain_lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        let line = line.trim_end_matches([' ', '\t', '\r']);
        let is_repeated = line.is_empty() && lines.last().is_none_or(|last| last.is_empty());
        if !is_repeated {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

/// The same lines, each level of indentation [`INDENT`] columns wide. A comment stands as deep as what
/// follows it.
fn indented_lines(lines: &[&str]) -> Vec<String> {
    let mut levels: Vec<usize> = Vec::new();
    let mut indented = Vec::new();
    let mut comments: Vec<&str> = Vec::new();
    for line in lines {
        let content = line.trim_start_matches(' ');
        if content.is_empty() || content.starts_with('#') {
            comments.push(content);
            continue;
        }
        let width = line.len() - content.len();
        while levels.last().is_some_and(|level| *level > width) {
            levels.pop();
        }
        if levels.last() != Some(&width) {
            levels.push(width);
        }
        let indent = " ".repeat(INDENT * (levels.len() - 1));
        for comment in comments.drain(..).chain([content]) {
            indented.push(match comment {
                "" => String::new(),
                text => format!("{indent}{text}"),
            });
        }
    }
    indented.extend(comments.into_iter().map(str::to_owned));
    indented
}

fn joined(lines: &[impl AsRef<str>]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.as_ref());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_changes_and_comments_stay() {
        let text = "\n# head\r\na:   \n    # about b\n    b: 1  # one\n\n\n\n    c:\n      - x\nd: 2\n# tail";
        let expected = "# head\na:\n  # about b\n  b: 1  # one\n\n  c:\n    - x\nd: 2\n# tail\n";
        assert_eq!(format(text).unwrap(), expected);
    }

    #[test]
    fn formatting_twice_is_formatting_once() {
        for text in [
            "a: {b: [1,\n     2]}\nc:\n   - d: 1\n     e: 2\n",
            "a: |\n   kept  \n\n\n   so\nb:\n      c: 1\n",
            "a:\n- b\n- c:\n     d: 1\n",
            "- 1\n-   - 2\n    - 3\n",
            "",
        ] {
            let once = format(text).unwrap();
            assert_eq!(format(&once).unwrap(), once, "{text:?}");
        }
    }

    #[test]
    fn what_a_block_text_says_is_never_changed() {
        let text = "a: |\n  two blanks  \n\n\n  end\n";
        assert_eq!(format(text).unwrap(), text);
    }

    #[test]
    fn a_text_that_cannot_be_read_is_an_error() {
        assert!(format("a: [1").is_err());
        assert!(format("a: 1\na: 2\n").is_err());
    }
}
