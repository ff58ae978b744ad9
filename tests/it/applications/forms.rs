//! Forms of pages, filled in and encoded as browsers do it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;

/// What stands between the parts of a form with files.
const BOUNDARY: &str = "----boundary-of-the-tests";

/// One form of a page.
#[derive(Debug, Clone)]
pub(super) struct Form {
    /// Where it is sent, as it is written; empty for the page's own address.
    pub(super) action: String,
    fields: Vec<(String, String)>,
    file: Option<(String, String, Vec<u8>)>,
}

impl Form {
    /// A form without a page.
    pub(super) fn bare(action: &str) -> Self {
        Self {
            action: action.to_owned(),
            fields: Vec::new(),
            file: None,
        }
    }

    /// The first form of a page that has this text in it.
    pub(super) fn with(page: &str, marker: &str) -> Option<Self> {
        let forms = Regex::new(r"(?is)(<form\b[^>]*>)(.*?)</form>").unwrap();
        let mut forms = forms.captures_iter(page).map(|found| found.extract());
        let (_, [tag, inside]) = forms.find(|(whole, _)| whole.contains(marker))?;
        let mut form = Self::bare(&attribute(tag, "action").unwrap_or_default());
        let inputs = Regex::new(r"(?is)<input\b[^>]*>").unwrap();
        for input in inputs.find_iter(inside) {
            form.add_input(input.as_str());
        }
        let selects = Regex::new(r"(?is)(<select\b[^>]*>)(.*?)</select>").unwrap();
        let options = Regex::new(r"(?is)<option\b[^>]*>").unwrap();
        for (_, [tag, inside]) in selects.captures_iter(inside).map(|found| found.extract()) {
            let all: Vec<&str> = options
                .find_iter(inside)
                .map(|found| found.as_str())
                .collect();
            let chosen = all.iter().find(|option| option.contains("selected"));
            let value = chosen
                .or_else(|| all.first())
                .and_then(|option| attribute(option, "value"));
            form.fields.extend(attribute(tag, "name").zip(value));
        }
        Some(form)
    }

    fn add_input(&mut self, input: &str) {
        let kind = attribute(input, "type").unwrap_or_default().to_lowercase();
        let is_sent = match kind.as_str() {
            "checkbox" | "radio" => input.contains("checked"),
            "file" | "submit" | "button" => false,
            _ => true,
        };
        if is_sent && let Some(name) = attribute(input, "name") {
            let value = attribute(input, "value").unwrap_or_default();
            self.fields.push((name, value));
        }
    }

    /// Fills a field in.
    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What a field holds.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    /// Adds a text file.
    pub(super) fn attach(mut self, field: &str, name: &str, text: &[u8]) -> Self {
        self.file = Some((field.to_owned(), name.to_owned(), text.to_owned()));
        self
    }

    /// The content type and the body.
    pub(super) fn encoded(&self) -> (String, Vec<u8>) {
        let Some((field, name, text)) = &self.file else {
            let pairs = self.fields.iter();
            let pairs: Vec<String> = pairs
                .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
                .collect();
            return (
                "application/x-www-form-urlencoded".to_owned(),
                pairs.join("&").into_bytes(),
            );
        };
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        body.extend(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
                 Content-Type: text/plain\r\n\r\n"
            )
            .bytes(),
        );
        body.extend(text);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
        (format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }
}

/// What browsers escape in forms (URL Standard, section 5.2), but for the space.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let attributes =
        Regex::new(r#"(?s)([^\s"'=<>/]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))"#).unwrap();
    let mut attributes = attributes.captures_iter(tag);
    let found = attributes.find(|found| found[1].eq_ignore_ascii_case(name))?;
    let value = (2..=4).find_map(|group| found.get(group))?;
    Some(unescaped(value.as_str()))
}

fn unescaped(text: &str) -> String {
    let known = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#43;", "+"),
        ("&amp;", "&"),
    ];
    let replaced = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
    known.iter().fold(text.to_owned(), replaced)
}

#[test]
fn sends_what_a_browser_would() {
    let page = "<form action='a'><input name=x></form><form method=post action=\"/b?c&amp;d\" id=two>\
        <input type=hidden name=\"@csrf\" value='a+b'><input type=checkbox name=no value=1>\
        <input type=radio name=r value=5 checked><select name=s><option value=1><option value=2 selected></select></form>";
    let form = Form::with(page, "id=two").unwrap().set("note", "ü & x");
    assert_eq!(form.action, "/b?c&d");
    let (kind, body) = form.encoded();
    assert_eq!(kind, "application/x-www-form-urlencoded");
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "%40csrf=a%2Bb&r=5&s=2&note=%C3%BC%20%26%20x"
    );
    let (kind, body) = form.attach("f", "a.txt", b"text").encoded();
    assert!(kind.starts_with("multipart/form-data; boundary="));
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("name=\"f\"; filename=\"a.txt\"\r\n") && body.ends_with("--\r\n"));
    assert!(Form::with(page, "id=three").is_none());
}
