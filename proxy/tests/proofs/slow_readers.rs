//! Memory does not grow with what clients do not read: many of them, each on a large body that they take little by
//! little.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use super::client::Client;
use super::{count, origin, process::Process};

/// What each reader may add to what the process holds when idle, and all of them besides.
const KIB_EACH: u64 = 256;
const KIB_BESIDES: u64 = 64 << 10;
/// How much a reader takes at once and altogether, how long it rests in between, and what the system may keep for it.
const SIP_BYTES: usize = 16 << 10;
const TAKEN_BYTES: usize = 2 << 20;
const REST: Duration = Duration::from_millis(5);
const RECEIVE_BYTES: u32 = 16 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_of_large_bodies_stay_within_their_bound() {
    let readers = count("POSTERN_READERS", 20);
    let mib = count("POSTERN_BODY_MIB", 64);
    let process = Process::start(origin::start().await, None).await;
    assert_eq!(Client::get_once(process.data, "/cases/1").await.status, 200);
    let base = process.memory_kib("VmRSS");
    let mut reading = JoinSet::new();
    for _ in 0..readers {
        reading.spawn(sip(process.data, mib));
    }
    // Each is held until all have taken their part, so that all are under way at the same time.
    let held = reading.join_all().await;
    let (with, peak) = (process.memory_kib("VmRSS"), process.memory_kib("VmHWM"));
    let added = peak.saturating_sub(base);
    println!(
        "slow readers: {readers} on {mib} MiB each, base {base} KiB, with them {with} KiB, peak {peak} KiB, added {added} KiB"
    );
    let bound = KIB_EACH * u64::try_from(readers).unwrap() + KIB_BESIDES;
    assert!(added <= bound, "added {added} KiB, bound {bound} KiB");
    assert_eq!(Client::get_once(process.data, "/cases/1").await.status, 200);
    drop(held);
    assert_eq!(Client::get_once(process.data, "/cases/1").await.status, 200);
}

/// Takes the first part of a body, sip by sip, and gives back the connection with the rest still to come.
async fn sip(address: SocketAddr, mib: usize) -> tokio::net::TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(RECEIVE_BYTES).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!(
        "GET /big/{mib} HTTP/1.1\r\nHost: desk.example\r\nX-Subject: ann\r\nX-Roles: agent\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut sip, mut taken) = (vec![0; SIP_BYTES], 0);
    while taken < TAKEN_BYTES {
        let read = stream.read(&mut sip).await.unwrap();
        assert!(read > 0, "cut after {taken} bytes");
        let text = String::from_utf8_lossy(&sip[..read]);
        assert!(taken > 0 || text.starts_with("HTTP/1.1 200 "), "{text}");
        assert!(!text.contains(origin::CANARY), "after {taken} bytes");
        taken += read;
        tokio::time::sleep(REST).await;
    }
    stream
}
