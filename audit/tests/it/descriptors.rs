//! No file descriptors left: what could not be asked of the disk is asked again, and nothing is lost.

use postern_audit::LogError;

use crate::faults::Call;
use crate::stage::{Stage, entry, entry_bytes, place};
use crate::writing::entries_of;

/// EMFILE, the system's number for it.
const NO_DESCRIPTORS: i32 = 24;

#[test]
fn a_folder_for_which_there_is_no_descriptor_is_synced_later() {
    let mut times = 0;
    loop {
        let stage = Stage {
            segment_bytes: 2048,
            ..Stage::new()
        };
        let log = stage.open().unwrap();
        stage
            .disk
            .fail_saying(NO_DESCRIPTORS, Call::SyncFolder, times);
        let mut acknowledged = Vec::new();
        for number in 0..30 {
            match log.append_and_wait(entry(number)) {
                Ok(receipt) => acknowledged.push((receipt.index, number)),
                Err(error) => assert!(matches!(error, LogError::Unwritten { .. }), "{error}"),
            }
            if number % 10 == 5 {
                drop(log.publish());
            }
        }
        // What failed once succeeds when it is asked for again.
        let last = || log.append_and_wait(entry(30));
        let receipt = last().or_else(|_| last()).unwrap();
        acknowledged.push((receipt.index, 30));
        log.publish().or_else(|_| log.publish()).unwrap();
        assert!(!log.is_poisoned());
        drop(log.close());
        if !stage.disk.has_failed() {
            break;
        }
        times += 1;
        drop(stage.open().unwrap());
        let entries = entries_of(&stage);
        for (index, number) in acknowledged {
            assert_eq!(entries[place(index)], entry_bytes(number), "{times}");
        }
    }
    assert!(times > 3, "{times}");
}
