//! What a crash leaves: a batch that is not whole. It is cut at the next start, and everything before it,
//! which is everything that was acknowledged, is there.

use std::path::{Path, PathBuf};

use crate::bypass::exchange::Suite;
use crate::bypass::records;
use crate::bypass::stage::{Setting, Stage};

use super::{Result, are_on_record, ensure, see_a_case};

/// Those who were answered before the crash.
const ANSWERED: [&str; 3] = ["first", "second", "third"];

/// A log as it was when the last of [`ANSWERED`] was, and what was written to it afterwards.
struct Crash {
    stage: Stage,
    setting: Setting,
    before: Vec<(PathBuf, Vec<u8>)>,
    /// What came after that in the write-ahead log.
    tail: Vec<u8>,
}

impl Crash {
    async fn prepare(suite: &Suite) -> std::result::Result<Self, String> {
        let setting = Setting::policy("base");
        let stage = Stage::start(&setting).await;
        see_a_case(suite, &stage, &ANSWERED).await?;
        let mut before = Vec::new();
        let stage = stage
            .changed(&setting, |log| before = records::files(log))
            .await?;
        see_a_case(suite, &stage, &["later"]).await?;
        let mut after = Vec::new();
        let stage = stage
            .changed(&setting, |log| after = records::files(log))
            .await?;
        let (segment, short) = segment(&before)?;
        let (_, long) = after
            .iter()
            .find(|(path, _)| path == segment)
            .ok_or("the segment is gone")?;
        let tail = long.get(short.len()..).ok_or("the segment is shorter")?;
        let tail = tail.to_vec();
        Ok(Self {
            stage,
            setting,
            before,
            tail,
        })
    }

    /// Starts on the log as it was, with these bytes at its end, and checks it all.
    async fn start_with(
        self,
        suite: &Suite,
        torn: &[u8],
        what: &str,
    ) -> std::result::Result<Self, String> {
        let told = |reason: String| format!("{what}: {reason}");
        let stage = self
            .stage
            .changed(&self.setting, |log| restore(log, &self.before, torn))
            .await
            .map_err(told)?;
        stage.still_serves(&suite.tokens).await.map_err(told)?;
        // A stop publishes: what was never published has no checkpoint to verify.
        let stage = stage.restart(&self.setting).await;
        let mut found = Vec::new();
        let mut verified = Ok(());
        let stage = stage
            .changed(&self.setting, |log| {
                found = records::files(log);
                verified = records::is_whole(log).map(drop);
            })
            .await?;
        verified.map_err(told)?;
        let (_, bytes) = segment(&found)?;
        are_on_record(bytes, &ANSWERED).map_err(told)?;
        // A restart that cut something says so in its first entry.
        let restarted = crate::bypass::messages::find(bytes, b"\"discarded_bytes\"").is_some();
        ensure(
            restarted,
            format!("{what}: the log does not say it was cut"),
        )?;
        Ok(Self { stage, ..self })
    }
}

/// B-386: the process ends at any byte of what it writes. The process itself is killed under load by a
/// test of the proxy's; here every place within a batch has its turn.
pub(super) async fn killed_in_a_record(suite: &Suite) -> Result {
    let mut crash = Crash::prepare(suite).await?;
    let tail = crash.tail.clone();
    let batch = first_batch(&tail)?;
    for length in [1, 15, 16, 17, batch / 3, batch / 2, batch - 4, batch - 1] {
        let what = format!("{length} bytes of {batch}");
        crash = crash.start_with(suite, &tail[..length], &what).await?;
    }
    Ok("passed")
}

/// B-387: pages of an unsynced batch reach the disk or not, in any order; and nothing that was
/// acknowledged is among them, because a log that lacks it does not start.
pub(super) async fn power_loss(suite: &Suite) -> Result {
    let mut crash = Crash::prepare(suite).await?;
    let tail = crash.tail.clone();
    let batch = first_batch(&tail)?;
    let holed = [&vec![0; batch / 2][..], &tail[batch / 2..batch]].concat();
    for (torn, what) in [
        (vec![0; 4096], "a length without its bytes"),
        (holed, "the end without the beginning"),
        ([&tail[..batch / 2], &[0; 512]].concat(), "the beginning"),
    ] {
        crash = crash.start_with(suite, &torn, what).await?;
    }
    super::syncs::acknowledges_what_is_synced()?;
    let Crash { stage, setting, .. } = crash;
    see_a_case(suite, &stage, &["acknowledged"]).await?;
    let mut lost = 0;
    let started = stage
        .changed(&setting, |log| lost = lose_the_last_batch(log))
        .await;
    let refused = started
        .err()
        .ok_or("it starts without what was acknowledged")?;
    ensure(lost > 0, "nothing was lost: the case is vacuous")?;
    ensure(refused.contains("rolled back"), refused)?;
    Ok("passed")
}

/// The only segment of the write-ahead log.
fn segment(files: &[(PathBuf, Vec<u8>)]) -> std::result::Result<(&PathBuf, &Vec<u8>), String> {
    let is_segment = |path: &Path| path.extension().is_some_and(|end| end == "seg");
    let mut segments = files.iter().filter(|(path, _)| is_segment(path));
    match (segments.next(), segments.next()) {
        (Some((path, bytes)), None) => Ok((path, bytes)),
        _ => Err("not one segment".to_owned()),
    }
}

/// Makes a folder what it was, with more bytes at the end of its segment.
fn restore(log: &Path, files: &[(PathBuf, Vec<u8>)], torn: &[u8]) {
    std::fs::remove_dir_all(log).expect("a folder");
    for (path, bytes) in files {
        let is_segment = path.extension().is_some_and(|end| end == "seg");
        let more = if is_segment { torn } else { &[] };
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
        std::fs::write(path, [bytes, more].concat()).expect("a file");
    }
}

/// Where each batch of some bytes ends: after its trailer.
fn batch_ends(bytes: &[u8]) -> Vec<usize> {
    let starts = bytes.windows(4).enumerate();
    let starts = starts.filter(|(_, window)| *window == b"PTBT");
    let end = |at: usize| {
        let length = bytes.get(at + 56..at + 60)?;
        let length = u32::from_be_bytes(length.try_into().ok()?);
        Some(at + 60 + usize::try_from(length).ok()? + 4)
    };
    starts.filter_map(|(at, _)| end(at)).collect()
}

fn first_batch(tail: &[u8]) -> std::result::Result<usize, String> {
    let end = batch_ends(tail).first().copied();
    end.filter(|end| *end > 64 && *end <= tail.len())
        .ok_or_else(|| "nothing was written after the crash".to_owned())
}

/// Cuts the last whole batch off; how many bytes that was.
fn lose_the_last_batch(log: &Path) -> usize {
    let files = records::files(log);
    let (path, bytes) = segment(&files).expect("a segment");
    let ends = batch_ends(bytes);
    let keep = ends.iter().rev().nth(1).copied().expect("two batches");
    std::fs::write(path, &bytes[..keep]).expect("a file");
    bytes.len() - keep
}
