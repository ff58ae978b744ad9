//! Findings as JUnit XML: one test case for each finding, or one that passes when there is none.

use super::Finding;

/// One test suite.
pub(crate) fn junit(checked: &str, findings: &[Finding]) -> String {
    let cases = findings.len().max(1);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuite name=\"postern check\" tests=\"{cases}\" failures=\"{}\">\n",
        findings.len()
    );
    if findings.is_empty() {
        let name = escaped(checked);
        text.push_str(&format!(
            "  <testcase classname=\"postern\" name=\"{name}\"/>\n"
        ));
    }
    for finding in findings {
        text.push_str(&format!(
            "  <testcase classname=\"{file}\" name=\"{code} at {line}:{column}\">\n    \
             <failure type=\"{level}\" message=\"{message}\"/>\n  </testcase>\n",
            file = escaped(&finding.file),
            code = escaped(&finding.code),
            line = finding.line,
            column = finding.column,
            level = finding.level.word(),
            message = escaped(&finding.full_message()),
        ));
    }
    text.push_str("</testsuite>\n");
    text
}

/// Text as it may stand in an attribute (XML 1.0 section 2.4); what XML cannot hold becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            other if other.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_leave_its_attribute() {
        let finding = Finding::of_file("a\"b.yaml", "<&\u{1}\n>".to_owned());
        let text = junit("p", &[finding]);
        assert!(text.contains("classname=\"a&quot;b.yaml\""));
        assert!(text.contains("message=\"&lt;&amp;\u{fffd}&#10;&gt;\""));
    }

    #[test]
    fn nothing_found_is_one_passing_case() {
        let text = junit("p.yaml", &[]);
        assert!(text.contains("tests=\"1\" failures=\"0\""));
        assert!(text.contains("name=\"p.yaml\"/>"));
    }
}
