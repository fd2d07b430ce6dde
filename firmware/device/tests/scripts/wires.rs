//! Joining networks: `bridge.script`

use crate::running;

/// A message that has no room in a value is not passed on cut.
#[test]
fn bridge_passes_on_nothing_that_is_cut() {
    let mut sim = running("bridge");
    sim.connect_remote();
    sim.done();
    sim.local("shared/long", "x".repeat(1001));
    sim.remote("shared/long", "x".repeat(1001));
    assert_eq!(sim.done(), [""; 0]);
}
