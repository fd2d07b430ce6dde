//! Scripts that are too long, too large or too deep, pushed and pulled.

use super::Witness;
use crate::device::Device;

/// Pushes a script; the answer holds `says`, and the device stays up.
#[track_caller]
fn pushed(device: &Device, witness: &mut Witness, name: &str, script: &[u8], says: &str) {
    let verdict = device.push(script);
    assert!(verdict.contains(says), "{name}: {verdict}");
    witness.is_served(device, name);
}

#[test]
fn uploads_never_restart_the_device() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    pushed(&device, &mut witness, "an empty script", b" \r\n", "the script is empty");
}
