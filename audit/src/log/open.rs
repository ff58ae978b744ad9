//! Opening a log: the lock, the keys, recovery, the two threads, and the first entry.

use std::io::ErrorKind;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::error::OpenError;
use super::keys::KeyStore;
use super::life::{self, Activity};
use super::publisher::Publisher;
use super::queue::Queue;
use super::recover::{Recovered, Signed, recover};
use super::settings::{LogSettings, OnDamage};
use super::successor::{self, Succession};
use super::writer::{Segment, Writer};
use super::{Head, Log, Shared, held};
use crate::clock::millis;
use crate::disk::Disk;
use crate::head_slots::{HeadSlots, PATHS};
use crate::signer::Signer;
use crate::store::{StoreError, ensure_folder, read_optional};
use crate::ulid;
use crate::vkey::VerifierKey;
use crate::wal::{self, segment_path};

/// A domain has at most this many bytes, so that a signed head fits into its slot.
const DOMAIN_BYTES_MAX: usize = 200;

/// What is known before the threads start.
struct Ready {
    signer: Signer,
    keys: Vec<VerifierKey>,
    recovered: Recovered,
    /// What the Start or Restart entry says.
    first_entry: (Activity, Option<Value>),
}

/// See [`Log::open`].
pub(super) fn open(settings: LogSettings) -> Result<Log, OpenError> {
    let disk = settings.disk.as_ref();
    for folder in [wal::FOLDER, ".state", "keys"] {
        ensure_folder(disk, folder)?;
    }
    let lock = disk.lock(".state/lock").map_err(|error| {
        if error.kind() == ErrorKind::WouldBlock {
            OpenError::Locked
        } else {
            OpenError::Disk(error)
        }
    })?;
    let (ready, succession) = match successor::begun(disk)? {
        Some(succession) => (succeed(&settings, &succession)?, Some(succession)),
        None => match ready(&settings) {
            Err(found) if may_succeed(&settings, &found) => {
                let succession = successor::begin(disk, new_origin(&settings)?, &found)?;
                (succeed(&settings, &succession)?, Some(succession))
            }
            ready => (ready?, None),
        },
    };
    let (activity, details) = ready.first_entry.clone();
    let log = start(settings, ready, lock)?;
    let clock = log.settings.clock.as_ref();
    log.append_and_wait(life::entry(clock, &log.origin, activity, details))?;
    if succession.is_some() {
        successor::end(log.settings.disk.as_ref())?;
    }
    Ok(log)
}

const fn may_succeed(settings: &LogSettings, found: &OpenError) -> bool {
    let accepted = matches!(settings.on_damage, OnDamage::BeginAnother);
    accepted
        && matches!(
            found,
            OpenError::Damaged { .. } | OpenError::RolledBack { .. } | OpenError::Forked { .. }
        )
}

/// Sets the old log aside and begins the new one.
fn succeed(settings: &LogSettings, succession: &Succession) -> Result<Ready, OpenError> {
    let disk = settings.disk.as_ref();
    let keys = KeyStore::new(settings);
    let public = keys.public();
    let is_begun = public.is_ok_and(|keys| keys.iter().any(|key| key.name() == succession.origin));
    if !is_begun {
        successor::set_aside(disk, succession)?;
        ensure_folder(disk, wal::FOLDER)?;
        HeadSlots::open(disk, None)?;
        keys.begin(&succession.origin)?;
    }
    let mut ready = existing(settings, &keys, None)?;
    let details = life::predecessor(&succession.checkpoint, &succession.found);
    ready.first_entry = (Activity::Start, Some(details));
    Ok(ready)
}

fn ready(settings: &LogSettings) -> Result<Ready, OpenError> {
    let keys = KeyStore::new(settings);
    if keys.public()?.is_empty() {
        let origin = new_origin(settings)?;
        if !is_untouched(settings.disk.as_ref())? {
            return Err(OpenError::Key {
                what: "there is a log without `keys/log.vkey`",
            });
        }
        // INVARIANT: the slots are made before the key is, so that a key without slots tells that
        // they were removed.
        HeadSlots::open(settings.disk.as_ref(), None)?;
        keys.begin(&origin)?;
    }
    let ready = existing(settings, &keys, settings.witnessed_size)?;
    match settings.forked_size {
        Some(size) => Err(OpenError::Forked {
            size,
            by: "a witness",
        }),
        None => Ok(ready),
    }
}

fn existing(
    settings: &LogSettings,
    keys: &KeyStore,
    witnessed_size: Option<u64>,
) -> Result<Ready, OpenError> {
    let disk = settings.disk.as_ref();
    let mut public = keys.public()?;
    for path in PATHS {
        if read_optional(disk, path)?.is_none() {
            return Err(OpenError::Damaged {
                index: 0,
                what: format!("`{path}` is missing"),
            });
        }
    }
    let recovered = recover(disk, &public, witnessed_size)?;
    settle_keys(keys, &mut public, recovered.last_entry.as_deref())?;
    let signer = keys.signer(&public)?;
    let range = &recovered.range;
    let first_entry = match recovered.end.tail_bytes {
        0 => (
            Activity::Start,
            Some(json!({ "key": signer.key().to_string() })),
        ),
        bytes => {
            let root = range.root().to_string();
            (
                Activity::Restart,
                Some(life::discarded(range.size(), bytes, &root)),
            )
        }
    };
    Ok(Ready {
        signer,
        keys: public,
        recovered,
        first_entry,
    })
}

/// Finishes or forgets a change of keys that a crash interrupted.
fn settle_keys(
    store: &KeyStore,
    public: &mut Vec<VerifierKey>,
    last_entry: Option<&[u8]>,
) -> Result<(), OpenError> {
    let origin = public
        .last()
        .map(|key| key.name().to_owned())
        .unwrap_or_default();
    let Some(next) = store.next(&origin)? else {
        return Ok(());
    };
    let next = next.key();
    let announced = last_entry.and_then(life::announced_key);
    if public.contains(next) || announced.as_ref() == Some(next) {
        store.adopt_next(next)?;
        if !public.contains(next) {
            public.push(next.clone());
        }
    } else {
        store.forget_next()?;
    }
    Ok(())
}

fn is_untouched(disk: &dyn Disk) -> Result<bool, OpenError> {
    let checkpoint = read_optional(disk, super::recover::CHECKPOINT)?;
    Ok(checkpoint.is_none() && disk.list(wal::FOLDER)?.is_empty())
}

fn new_origin(settings: &LogSettings) -> Result<String, OpenError> {
    let domain = &settings.domain;
    if domain.len() > DOMAIN_BYTES_MAX || !crate::note::is_key_name(domain) {
        return Err(OpenError::Domain(domain.clone()));
    }
    Ok(format!(
        "{domain}/{}",
        ulid::at(millis(settings.clock.wall()))
    ))
}

fn start(
    settings: LogSettings,
    ready: Ready,
    lock: Box<dyn crate::disk::Lock>,
) -> Result<Log, OpenError> {
    let disk = settings.disk.as_ref();
    let recovered = ready.recovered;
    let segment = open_segment(disk, &recovered)?;
    let slots = HeadSlots::open(disk, recovered.last_note.as_deref())?;
    let shared = Arc::new(Shared {
        queue: Queue::new(settings.queue_entries_max),
        head: Mutex::new(
            recovered
                .last_note
                .as_deref()
                .and_then(|note| head(note, &ready.keys)),
        ),
        keys: Mutex::new(ready.keys),
        begin_segment: AtomicBool::new(false),
    });
    let origin = ready.signer.key().name().to_owned();
    let publisher = Publisher::new(Arc::clone(&settings.disk), recovered.published);
    let publisher = Arc::new(Mutex::new(publisher));
    let writer = Writer {
        disk: Arc::clone(&settings.disk),
        clock: Arc::clone(&settings.clock),
        keys: KeyStore::new(&settings),
        signer: ready.signer,
        range: recovered.range,
        segment,
        segment_bytes: settings.segment_bytes,
        slots,
        shared: Arc::clone(&shared),
    };
    let mut threads = vec![
        Builder::new()
            .name("audit-writer".to_owned())
            .spawn(move || writer.run())?,
    ];
    if let Some(every) = settings.publish_every {
        threads.push(publish_every(
            every,
            Arc::clone(&publisher),
            Arc::clone(&shared),
        )?);
    }
    Ok(Log {
        settings,
        origin,
        shared,
        publisher,
        threads,
        _lock: lock,
    })
}

fn publish_every(
    every: Duration,
    publisher: Arc<Mutex<Publisher>>,
    shared: Arc<Shared>,
) -> Result<JoinHandle<()>, OpenError> {
    let publish = move || {
        while shared.queue.is_open_after(every) {
            // What could not be published is still durable, and is tried again.
            drop(held(&publisher).publish(&shared));
        }
    };
    Ok(Builder::new()
        .name("audit-publisher".to_owned())
        .spawn(publish)?)
}

fn head(note: &[u8], keys: &[VerifierKey]) -> Option<Head> {
    let signed = Signed::read(note, keys)?;
    Some(Head {
        checkpoint: signed.checkpoint,
        note: signed.note.to_string(),
    })
}

/// Opens the newest segment, and cuts off what a crash has torn.
fn open_segment(disk: &dyn Disk, recovered: &Recovered) -> Result<Option<Segment>, OpenError> {
    let Some((first, whole)) = recovered.end.last else {
        return Ok(None);
    };
    let mut file = disk.open(&segment_path(first))?;
    if recovered.end.tail_bytes > 0 {
        file.truncate(whole)?;
    }
    // What was read may not have been durable when the last process died.
    file.sync().map_err(StoreError::Sync)?;
    Ok(Some(Segment {
        file,
        whole,
        is_torn: false,
    }))
}
