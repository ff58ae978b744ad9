//! Memory does not grow with the body: 16 large JSON bodies at once on a redacting route.

use super::client::Client;
use super::{count, origin, process::Process};

/// What 16 bodies at once may add to what the process holds when idle.
const ALLOWED_KIB: u64 = 64 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_large_bodies_stay_within_64_mib() {
    let mib = count("POSTERN_BODY_MIB", 16);
    let origin = origin::start().await;
    let process = Process::start(origin, None).await;
    assert_eq!(Client::get_once(process.data, "/cases/1").await.status, 200);
    let base = process.memory_kib("VmRSS");
    let mut bodies = Vec::new();
    for _ in 0..16 {
        let address = process.data;
        bodies.push(tokio::spawn(async move {
            Client::connect(address)
                .await
                .count_chunked(&format!("/big/{mib}"))
                .await
        }));
    }
    let mut total = 0;
    for body in bodies {
        let (bytes, complete) = body.await.unwrap();
        assert!(complete, "a body was cut: {}", process.log());
        total += bytes;
    }
    let peak = process.memory_kib("VmHWM");
    println!(
        "memory: 16 bodies of {mib} MiB ({total} bytes out), base {base} KiB, peak {peak} KiB, added {} KiB",
        peak.saturating_sub(base)
    );
    assert!(total > (mib as u64) << 23, "the bodies were not streamed");
    assert!(
        peak <= base + ALLOWED_KIB,
        "peak {peak} KiB, base {base} KiB"
    );
}
