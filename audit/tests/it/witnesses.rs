//! A witness cosigns what continues what it has seen, and nothing else; a quorum of cosignatures anchors.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postern_audit::{
    Asking, Hash, Heard, KeyKind, Log, LogError, Note, NoteError, OpenError, PolicyFile,
    ProofError, SignatureLine, Signer, Witness, prove, verify, verify_proof,
};

use crate::faults::Call;
use crate::memory_disk::MemoryDisk;
use crate::stage::{Stage, entry, entry_bytes};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn signer(name: &str, kind: KeyKind) -> Signer {
    let seed = [u8::try_from(name.len()).unwrap(); 32];
    Signer::from_seed(name, kind, &seed).unwrap()
}

fn request(old: u64, proof: &[Hash], checkpoint: &str) -> Vec<u8> {
    let lines: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
    format!("old {old}\n{lines}\n{checkpoint}").into_bytes()
}

#[test]
fn it_cosigns_what_continues_what_it_has_seen() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    let disk = MemoryDisk::default();
    let key = signer("witness.example/w", KeyKind::Witness);
    let witness = Witness::new(key, log.keys(), Arc::new(disk.clone()));
    for number in 0..5 {
        log.append_and_wait(entry(number)).unwrap();
    }
    log.publish().unwrap();
    let first = log.published().unwrap();
    let ask =
        |old, proof: &[Hash], note: &str| witness.add_checkpoint(&request(old, proof, note), now());

    let answer = ask(3, &[], &first);
    assert_eq!((answer.status, answer.body.as_str()), (409, "0\n"));
    assert_eq!(answer.content_type, "text/x.tlog.size");
    let answer = ask(0, &[], &first);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let line = SignatureLine::parse(answer.body.trim_end()).unwrap();
    let text = Note::parse(first.as_bytes()).unwrap().text().to_owned();
    assert!(witness.key().verifies(&text, &line.signature));
    disk.fail(Call::Sync, 0);
    assert_eq!(ask(6, &[], &first).status, 200, "the same again");
    assert!(!disk.has_failed(), "what is stored is not stored again");

    log.append_and_wait(entry(5)).unwrap();
    log.publish().unwrap();
    let second = log.published().unwrap();
    let proof = log.prove_consistency(6).unwrap();
    assert_eq!(ask(6, &proof[1..], &second).status, 422);
    assert_eq!(
        ask(8, &proof, &second).status,
        400,
        "the old size is above the new one"
    );
    assert_eq!(ask(0, &[], &second).body, "6\n");
    disk.fail(Call::Sync, 0);
    assert_eq!(
        ask(6, &proof, &second).status,
        500,
        "nothing is cosigned that is not stored"
    );
    disk.fail(Call::Write, 0);
    assert_eq!(ask(6, &proof, &second).status, 500);
    assert_eq!(witness.latest(log.origin()).unwrap().unwrap().size, 6);
    assert_eq!(ask(6, &proof, &second).status, 200);
    assert_eq!(ask(6, &proof, &second).status, 409);
    assert_eq!(witness.latest(log.origin()).unwrap().unwrap().size, 7);
}

#[test]
fn it_refuses_unknown_logs_false_signatures_and_forks() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    log.publish().unwrap();
    let note = log.published().unwrap();
    let disk = Arc::new(MemoryDisk::default());
    let key = || signer("witness.example/w", KeyKind::Witness);
    let nobody = Witness::new(key(), Vec::new(), disk.clone());
    assert_eq!(
        nobody.add_checkpoint(&request(0, &[], &note), now()).status,
        404
    );
    let witness = Witness::new(key(), log.keys(), disk);
    let forged = note.replace("\n1\n", "\n2\n");
    assert_eq!(
        witness
            .add_checkpoint(&request(0, &[], &forged), now())
            .status,
        403
    );
    for malformed in ["", "old 00\n\n", "old -1\n\n", "old 0\nx\n\n", "new 0\n\n"] {
        let body = [malformed.as_bytes(), note.as_bytes()].concat();
        assert_eq!(
            witness.add_checkpoint(&body, now()).status,
            400,
            "{malformed}"
        );
    }
    assert_eq!(
        witness
            .add_checkpoint(&request(0, &[], &note), now())
            .status,
        200
    );
    let seed: [u8; 32] = stage.seeds.files()["audit.seed"]
        .clone()
        .try_into()
        .unwrap();
    let thief = Signer::from_seed(log.origin(), KeyKind::Log, &seed).unwrap();
    let fork = thief.sign(format!("{}\n1\n{}\n", log.origin(), Hash::of_leaf(b"fork")));
    let answer = witness.add_checkpoint(&request(1, &[], &fork.to_string()), now());
    assert_eq!(answer.status, 409, "the same size and another root");
}

#[test]
fn a_quorum_of_cosignatures_anchors_and_proofs_carry_it() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    let receipt = log.append_and_wait(entry(0)).unwrap();
    log.publish().unwrap();
    let names = ["w.example/a", "w.example/bb", "w.example/ccc"];
    let keys: Vec<String> = names
        .iter()
        .map(|name| signer(name, KeyKind::Witness).key().to_string())
        .collect();
    let policy = format!(
        "log {}\nwitness a {}\nwitness b {}\nwitness c {}\ngroup two 2 a b c\nquorum two\n",
        log.keys()[0],
        keys[0],
        keys[1],
        keys[2]
    );
    let policy = PolicyFile::parse(policy.as_bytes()).unwrap();
    let published = log.published().unwrap();
    let text = Note::parse(published.as_bytes()).unwrap().text().to_owned();
    let since = |disk: &MemoryDisk| verify(disk, &policy, &[]).unwrap();
    for (name, code) in [(names[0], 1), (names[1], 0)] {
        assert_eq!(since(&stage.disk).exit_code(), 1);
        let line = signer(name, KeyKind::Witness).cosign(&text, 1_700_000_000);
        log.cosign(&text, vec![line]).unwrap();
        let report = since(&stage.disk);
        assert_eq!(report.exit_code(), code, "{report}");
    }
    let proof = prove(&stage.disk, receipt.index).unwrap().to_string();
    assert_eq!(proof, log.prove(receipt.index).unwrap());
    verify_proof(proof.as_bytes(), &entry_bytes(0), &policy).unwrap();
    let refused =
        |proof: &str, entry: &[u8]| verify_proof(proof.as_bytes(), entry, &policy).unwrap_err();
    let (own, another) = (entry_bytes(0), entry_bytes(1));
    assert_eq!(refused(&proof, &another), ProofError::AnotherEntry);
    let with_newline = [own.as_slice(), b"\n"].concat();
    assert_eq!(refused(&proof, &with_newline), ProofError::AnotherEntry);
    let of_first = proof.replace("\nindex 1\n", "\nindex 0\n");
    assert_eq!(refused(&of_first, &own), ProofError::AnotherEntry);
    let unwitnessed = format!("{}\n\n{published}", proof.split("\n\n").next().unwrap());
    let unsigned = ProofError::Note(NoteError::Unsigned);
    assert_eq!(refused(&unwitnessed, &own), unsigned);
    for garbage in ["", "garbage", &proof.replace("\n2\n", "\ntwo\n")] {
        assert_eq!(refused(garbage, &own), ProofError::NoProof, "{garbage}");
    }
    log.append_and_wait(entry(1)).unwrap();
    log.publish().unwrap();
    assert_eq!(log.cosign(&text, Vec::new()), Err(LogError::Superseded));
    let report = since(&stage.disk);
    assert_eq!(
        report.exit_code(),
        0,
        "the last cosigned head is recent: {report}"
    );
    let header = receipt.to_header("a\"b");
    assert!(
        header.starts_with("origin=\"a\\\"b\", index=1, size=2, root=:"),
        "{header}"
    );
}

#[test]
fn a_witness_that_cosigns_again_and_again_has_one_line() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    log.publish().unwrap();
    let published = log.published().unwrap();
    let text = Note::parse(published.as_bytes()).unwrap().text().to_owned();
    let (a, b) = (
        signer("w.example/a", KeyKind::Witness),
        signer("w.example/bb", KeyKind::Witness),
    );
    log.cosign(&text, vec![b.cosign(&text, 1)]).unwrap();
    // As many as a note may have, and more: while another witness is away, this one is asked every second.
    for second in 0..70 {
        log.cosign(&text, vec![a.cosign(&text, second)]).unwrap();
    }
    let names = [log.origin(), "w.example/bb", "w.example/a"];
    for path in ["checkpoint", ".state/cosigned"] {
        let note = Note::parse(&stage.disk.files()[path]).unwrap();
        let lines = note.signatures();
        let signed: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(signed, names, "{path}");
        assert_eq!(lines[2], a.cosign(&text, 69), "the last one counts");
    }
    drop(log);
    stage.open().unwrap();
}

/// Asks a witness as the proxy does, until it says something that ends the asking.
fn ask(log: &Log, witness: &Witness, mut old: u64) -> Heard {
    let asking = Asking::new(&log.published().unwrap()).unwrap();
    loop {
        let proof = log.prove_consistency(old).unwrap();
        let body = asking.request(old, &proof);
        let answer = witness.add_checkpoint(body.as_bytes(), now());
        let heard = asking.hear(old, witness.key(), (answer.status, answer.body.as_bytes()));
        let Heard::Behind { size } = heard else {
            return heard;
        };
        old = size;
    }
}

#[test]
fn a_log_that_asks_is_cosigned_and_one_that_was_rolled_back_or_forked_hears_it() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    let key = signer("witness.example/w", KeyKind::Witness);
    let witness = Witness::new(key, log.keys(), Arc::new(MemoryDisk::default()));
    log.publish().unwrap();
    assert!(matches!(ask(&log, &witness, 0), Heard::Cosigned(_)));
    log.remember_witness(witness.key(), 1).unwrap();
    drop(log);
    let (early, seeds) = (stage.disk.files(), stage.seeds.files());
    let log = stage.open().unwrap();
    for number in 0..5 {
        log.append_and_wait(entry(number)).unwrap();
    }
    log.publish().unwrap();
    assert!(matches!(ask(&log, &witness, 1), Heard::Cosigned(_)));
    log.append_and_wait(entry(5)).unwrap();
    log.publish().unwrap();
    // What the log remembers is not what the witness has seen.
    let Heard::Cosigned(line) = ask(&log, &witness, 3) else {
        panic!("it is cosigned from where the witness is");
    };
    let text = Note::parse(log.published().unwrap().as_bytes()).unwrap();
    assert!(witness.key().verifies(text.text(), &line.signature));
    drop(log);

    // The whole folder as it was, with its key and all that it remembers.
    let rolled_back = Stage {
        disk: MemoryDisk::with(early),
        seeds: MemoryDisk::with(seeds),
        ..stage
    };
    let log = rolled_back.open().unwrap();
    log.publish().unwrap();
    assert_eq!(ask(&log, &witness, 1), Heard::Ahead { size: 8 });
    for number in 10..15 {
        log.append_and_wait(entry(number)).unwrap();
    }
    log.publish().unwrap();
    // By now it has as many entries, and others.
    assert!(matches!(
        ask(&log, &witness, 1),
        Heard::Ahead { .. } | Heard::Forked { .. }
    ));
    for number in 15..25 {
        log.append_and_wait(entry(number)).unwrap();
    }
    log.publish().unwrap();
    assert_eq!(ask(&log, &witness, 1), Heard::Forked { size: 8 });
}

#[test]
fn a_fork_that_a_witness_tells_of_is_not_opened() {
    let stage = Stage::new();
    drop(stage.open().unwrap());
    let mut settings = stage.settings();
    settings.forked_size = Some(1);
    assert!(matches!(
        Log::open(settings),
        Err(OpenError::Forked { size: 1, .. })
    ));
}

#[test]
fn what_a_witness_is_remembered_to_have_seen_tells_of_a_rollback() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    let key = signer("witness.example/w", KeyKind::Witness);
    log.remember_witness(key.key(), 9).unwrap();
    assert_eq!(postern_audit::witness_size(&stage.disk, key.key()), 9);
    drop(log);
    let refused = stage.open().unwrap_err();
    assert!(
        matches!(refused, OpenError::RolledBack { known: 9, .. }),
        "{refused}"
    );
}

#[test]
fn another_signature_than_the_witnesss_own_is_none() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    log.publish().unwrap();
    let asking = Asking::new(&log.published().unwrap()).unwrap();
    let witness = signer("witness.example/w", KeyKind::Witness);
    let other = signer("witness.example/other", KeyKind::Witness);
    let own = witness.cosign(asking.text(), 1).to_string();
    let of_another = witness.cosign("another text\n", 1).to_string();
    let by_another = other.cosign(asking.text(), 1).to_string();
    let hear = |status, body: &str| asking.hear(0, witness.key(), (status, body.as_bytes()));
    assert!(matches!(hear(200, &own), Heard::Cosigned(_)));
    assert!(matches!(
        hear(200, &format!("{by_another}{own}")),
        Heard::Cosigned(_)
    ));
    for useless in [of_another.as_str(), &by_another, "", "nonsense"] {
        assert_eq!(hear(200, useless), Heard::Useless { status: 200 });
    }
    assert_eq!(hear(409, "many"), Heard::Useless { status: 409 });
    assert_eq!(hear(404, ""), Heard::Unknown);
    assert_eq!(hear(503, ""), Heard::Useless { status: 503 });
}
