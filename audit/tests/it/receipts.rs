//! A client's receipt: what it says, and that a proof file keeps what it promised, or does not.

use postern_audit::{ClientReceipt, PolicyFile, ReceiptError, verify_receipt};

use crate::stage::{Stage, entry};

#[test]
fn a_proof_keeps_what_a_receipt_promised() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    let receipt = log.append_and_wait(entry(0)).unwrap();
    let header = receipt.to_header(log.origin());
    let other = log.append_and_wait(entry(1)).unwrap();
    log.publish().unwrap();
    let text = format!("log {}\nquorum none\n", log.keys()[0]);
    let policy = PolicyFile::parse(text.as_bytes()).unwrap();
    let proof = log.prove(receipt.index).unwrap();
    let proof = proof.as_bytes();
    verify_receipt(proof, &header, &policy).unwrap();
    verify_receipt(proof, &format!("Audit-Receipt: {header}\n"), &policy).unwrap();
    let refused = |header: &str| verify_receipt(proof, header, &policy).unwrap_err();
    assert_eq!(
        verify_receipt(b"garbage", &header, &policy),
        Err(ReceiptError::NoProof)
    );
    assert_eq!(refused("index=1"), ReceiptError::NoReceipt);
    let another = refused(&other.to_header(log.origin()));
    assert_eq!(
        another,
        ReceiptError::AnotherEntry {
            proved: 1,
            promised: 2
        }
    );
    assert_eq!(
        refused(&receipt.to_header("audit.example.org/x")),
        ReceiptError::AnotherLog
    );
    let mut edited = receipt;
    edited.leaf = other.leaf;
    assert_eq!(
        refused(&edited.to_header(log.origin())),
        ReceiptError::NotIncluded
    );
    let mut later = receipt;
    later.size = 9;
    assert_eq!(refused(&later.to_header(log.origin())), ReceiptError::Older);
    let stranger = Stage::new().open().unwrap();
    let text = format!("log {}\nquorum none\n", stranger.keys()[0]);
    let stranger = PolicyFile::parse(text.as_bytes()).unwrap();
    assert!(matches!(
        verify_receipt(proof, &header, &stranger),
        Err(ReceiptError::Note(_))
    ));
}

#[test]
fn a_receipt_is_read_as_it_is_written_and_no_other_way() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    let receipt = log.append_and_wait(entry(0)).unwrap();
    for origin in ["a/b", "a\"b", "a\\\", index=1"] {
        let header = receipt.to_header(origin);
        let read = ClientReceipt::parse(&header).unwrap();
        assert_eq!((read.origin.as_str(), read.receipt), (origin, receipt));
        for cut in 0..header.len() {
            assert_eq!(
                ClientReceipt::parse(header.get(..cut).unwrap()),
                None,
                "{cut}"
            );
        }
    }
}
