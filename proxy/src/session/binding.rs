//! What a record keeps of what binds its session to its holder, and what one request may add to it.
//!
//! Everything in it is public or a digest: networks, thumbprints, the device's public key. It guarantees
//! that nothing a request teaches takes away what binds the session already, whoever else changes the
//! record at that moment.

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::dbsc::Device;

/// What binds a session. Of a record from before there was any, nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Binding {
    /// Where it began.
    pub began: Context,
    /// Where it was last used from, as far as that matters: another network, browser or version.
    pub last: Context,
    /// The thumbprint of its client certificate, `x5t#S256` (RFC 8705 section 3.1).
    pub certificate: Option<String>,
    /// The thumbprint of its DPoP key, `jkt` (RFC 9449 section 6.1).
    pub key: Option<String>,
    /// Its device, once it was offered to be bound (Device Bound Session Credentials).
    pub device: Option<Device>,
    /// When its holder last authenticated anew, in milliseconds since 1970; never, since the login.
    pub stepped_up: Option<u64>,
    /// A rule took it down: it has level 0 until it ends.
    pub downgraded: bool,
    /// A rule demands that its holder authenticates anew before it goes on.
    pub must_step_up: bool,
    /// Since when, in milliseconds since 1970.
    pub demanded: u64,
}

impl Binding {
    /// What a session that begins there is bound by: its surroundings, until something stronger comes.
    #[must_use]
    pub fn beginning(context: Context) -> Self {
        Self {
            began: context.clone(),
            last: context,
            ..Self::default()
        }
    }

    /// Whether a proof comes with every single request: of a certificate or of a key.
    #[must_use]
    pub const fn proves_each_request(&self) -> bool {
        self.certificate.is_some() || self.key.is_some()
    }

    /// Whether a key of the device is bound.
    #[must_use]
    pub fn has_device(&self) -> bool {
        self.device.as_ref().is_some_and(Device::is_bound)
    }

    /// Its holder has authenticated anew, there and then: what demanded it is satisfied, and where they are
    /// is where the session is used from. A downgrade stays.
    pub fn step_up(&mut self, context: Context, now: u64) {
        self.last = context;
        self.stepped_up = Some(now);
        self.must_step_up = false;
    }
}

/// What one request teaches about a session's binding. It is applied to whatever the record says by then, so
/// that of two requests at once, or of a request and a refresh, nothing is lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lesson {
    /// It is used from here now.
    pub context: Option<Context>,
    /// It is bound to this certificate from now on, unless there is one.
    pub certificate: Option<String>,
    /// It is bound to this key from now on, unless there is one.
    pub key: Option<String>,
    /// It is taken down.
    pub downgrade: bool,
    /// Its holder must authenticate anew.
    pub step_up: bool,
}

impl Lesson {
    /// Whether there is anything to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Puts it into a record, at that time.
    pub fn apply(&self, binding: &mut Binding, now: u64) {
        if let Some(context) = &self.context {
            binding.last = context.clone();
        }
        if binding.certificate.is_none() {
            binding.certificate.clone_from(&self.certificate);
        }
        if binding.key.is_none() {
            binding.key.clone_from(&self.key);
        }
        binding.downgraded |= self.downgrade;
        if self.step_up && !binding.must_step_up {
            binding.must_step_up = true;
            binding.demanded = now;
        }
    }

    /// Forgets what only a request that goes on may teach.
    pub(super) fn distrust(&mut self) {
        self.context = None;
        self.certificate = None;
        self.key = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(address: &str) -> Context {
        Context::of(Some(address.parse().unwrap()), "curl/8.5.0")
    }

    #[test]
    fn a_lesson_adds_and_takes_nothing_away() {
        let mut binding = Binding {
            certificate: Some("first".to_owned()),
            downgraded: true,
            ..Binding::beginning(there("192.0.2.1"))
        };
        let before = binding.clone();
        assert!(Lesson::default().is_empty());
        Lesson::default().apply(&mut binding, 1);
        assert_eq!(binding, before);
        let lesson = Lesson {
            context: Some(there("198.51.100.1")),
            certificate: Some("second".to_owned()),
            key: Some("key".to_owned()),
            downgrade: false,
            step_up: true,
        };
        assert!(!lesson.is_empty());
        lesson.apply(&mut binding, 5);
        lesson.apply(&mut binding, 6);
        assert_eq!(binding.began, there("192.0.2.1"));
        assert_eq!(binding.last, there("198.51.100.1"));
        assert_eq!(binding.certificate.as_deref(), Some("first"));
        assert_eq!(binding.key.as_deref(), Some("key"));
        assert!(binding.downgraded && binding.must_step_up);
        assert_eq!(binding.demanded, 5);
    }

    #[test]
    fn a_step_up_satisfies_its_demand_and_lifts_no_downgrade() {
        let mut binding = Binding {
            downgraded: true,
            must_step_up: true,
            ..Binding::beginning(there("192.0.2.1"))
        };
        binding.step_up(there("198.51.100.1"), 7);
        assert!(binding.downgraded && !binding.must_step_up);
        assert_eq!(binding.stepped_up, Some(7));
        assert_eq!(binding.last, there("198.51.100.1"));
        assert_eq!(binding.began, there("192.0.2.1"));
    }

    #[test]
    fn what_was_written_without_a_member_still_reads() {
        let read: Binding = serde_json::from_str(r#"{"key":"k"}"#).unwrap();
        assert_eq!(read.key.as_deref(), Some("k"));
        assert_eq!(read.began, Context::default());
    }
}
