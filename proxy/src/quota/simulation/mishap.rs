//! What befalls a world: time that passes, clocks that step, and ends of all kinds.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::dice::Dice;
use super::world::World;

/// Lets something happen, or nothing.
pub(super) async fn befall(world: &World, dice: &mut Dice) {
    match dice.between(0, 999) {
        0..300 => pass(world, dice, world.window / 48),
        300..380 => pass(world, dice, world.window / 3),
        380..440 => step(world, dice),
        440..500 => {
            let index = usize::try_from(dice.between(0, 2)).unwrap_or_default();
            world.kill(index).await;
        }
        500..530 => world.any_replica(dice).quotas.drain().await,
        530..540 => pause(world, dice).await,
        540..544 => world.restart_store().await,
        _ => tokio::task::yield_now().await,
    }
}

fn pass(world: &World, dice: &mut Dice, most: Duration) {
    let _alone = world.leaving.write().unwrap();
    let time = most.mul_f64(dice.between(0, 1_000) as f64 / 1_000.0);
    // Whoever asks the server looks at the own clock first, so the server's must never be behind it.
    world.server_clock.pass(time);
    world.clock.pass(time);
}

/// Steps the wall clocks: that of the replicas in any direction, that of the server back, or it stands
/// still. Forward, a server's clock takes the windows with it; no ledger can tell.
fn step(world: &World, dice: &mut Dice) {
    let _alone = world.leaving.write().unwrap();
    world.totals.lock().unwrap().steps += 1;
    let time = world
        .window
        .mul_f64(dice.between(0, 3_000) as f64 / 1_000.0);
    match dice.between(0, 3) {
        0 => world.clock.step_back(time),
        1 => {
            world.clock.step_forward(time);
            world.stepped_forward.store(true, Ordering::SeqCst);
        }
        2 => world.server_clock.step_back(time),
        _ => {
            world.clock.pass_frozen(time / 24);
            world.server_clock.pass_frozen(time / 24);
        }
    }
}

/// Lets the store stand still: behind its gate, or the server itself.
async fn pause(world: &World, dice: &mut Dice) {
    world.totals.lock().unwrap().pauses += 1;
    let longer = Duration::from_millis(25);
    match &world.server {
        Some(server) if dice.in_thousand(500) => {
            let server = server.lock().await;
            server.pause();
            tokio::time::sleep(longer).await;
            server.resume();
        }
        Some(_) | None => {
            let _shut = world.gate.write().await;
            tokio::time::sleep(longer).await;
        }
    }
}
