//! How fast the broker is without a network: time per round of a scene, with deliveries per second.
//! `cargo bench -p umqtt-mqtt --bench speed`

use core::hint::black_box;

use divan::Bencher;
use divan::counter::ItemsCount;

mod scenes;
use scenes::{SCENES, Scene, Stage};

fn main() {
    divan::main();
}

#[divan::bench(args = SCENES)]
fn scene(bencher: Bencher<'_, '_>, scene: Scene) {
    let mut stage = Stage::new(scene);
    let deliveries = stage.round();
    bencher.counter(ItemsCount::new(deliveries)).bench_local(|| black_box(&mut stage).round());
    black_box(stage.bytes());
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn connects(bencher: Bencher<'_, '_>, count: u32) {
    bencher.counter(ItemsCount::new(count)).bench_local(|| scenes::connects(black_box(count)));
}
