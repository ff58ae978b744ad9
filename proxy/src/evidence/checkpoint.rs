//! The checkpoint of the log, for those who keep it elsewhere.

use super::Evidence;

impl Evidence {
    /// The checkpoint that was published last, as a signed note; with `now`, after what is durable has been
    /// published. It reads and writes files.
    pub(crate) fn checkpoint(&self, now: bool) -> Option<String> {
        let kept = self.kept.as_ref()?;
        if now && let Err(error) = kept.log.publish() {
            tracing::error!(%error, "the audit log could not be published");
        }
        kept.log.published()
    }
}
