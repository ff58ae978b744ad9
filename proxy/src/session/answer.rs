//! An answer that the session layer gives itself: a page, or what a browser is told about its device.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, StatusCode};

/// What is answered. Whoever writes it adds the length and what every answer of ours has.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its header fields, `Cache-Control: no-store` among them; a name may come several times.
    pub fields: Vec<(HeaderName, HeaderValue)>,
    /// Its body; often empty.
    pub body: String,
}

impl Answer {
    /// An answer without a body, which nobody may store.
    #[must_use]
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            fields: vec![(CACHE_CONTROL, HeaderValue::from_static("no-store"))],
            body: String::new(),
        }
    }

    /// The same with a body.
    #[must_use]
    pub(super) fn with_body(mut self, content_type: &'static str, body: String) -> Self {
        let value = HeaderValue::from_static(content_type);
        self.fields.push((CONTENT_TYPE, value));
        self.body = body;
        self
    }

    /// The same with a field more. What is no field value is left out; nothing we write is.
    #[must_use]
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.fields.push((name, value));
        }
        self
    }

    /// The value of a field, as text; the first when there are several.
    #[must_use]
    pub fn field(&self, name: &HeaderName) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.and_then(|(_, value)| value.to_str().ok())
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
