//! `lock` and `unlock`.

use core::net::{IpAddr, Ipv4Addr};

use umqtt_net::Instant;

use crate::console::device_control::{DeviceControl, Origin};
use crate::console::lock::{LockError, Requester};
use crate::console::output::Output;

/// Who tries: the sessions of one address count as one.
fn requester(origin: Origin, device: &dyn DeviceControl) -> Requester {
    match origin {
        Origin::Serial => Requester::Serial,
        Origin::Script => Requester::Script,
        Origin::Network(_) => {
            Requester::Network(device.peer(origin).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
        }
    }
}

pub(super) fn lock(
    password: Option<&[u8]>,
    origin: Origin,
    device: &mut dyn DeviceControl,
    out: &mut Output,
) {
    let (requester, salt) = (requester(origin, device), device.salt());
    match device.lock_mut().lock(password, requester, salt) {
        Ok(()) => {
            device.script_cancel();
            let damaged = device.settings().is_damaged();
            let settings = if damaged { Ok(()) } else { device.save_settings() };
            match settings.and_then(|()| device.save_lock()) {
                Ok(()) => line!(out, "Config locked"),
                Err(error) => line!(out, "Config locked until the next restart: {error}"),
            }
        }
        Err(error) => refuse(error, out),
    }
}

pub(super) fn unlock(
    password: &[u8],
    origin: Origin,
    now: Instant,
    device: &mut dyn DeviceControl,
    out: &mut Output,
) {
    let (requester, salt) = (requester(origin, device), device.salt());
    match device.lock_mut().unlock(password, requester, now, salt) {
        Ok(()) => match device.save_lock() {
            Ok(()) => line!(out, "Config unlocked"),
            Err(error) => line!(out, "Config unlocked until the next restart: {error}"),
        },
        Err(error) => refuse(error, out),
    }
}

fn refuse(error: LockError, out: &mut Output) {
    match error {
        LockError::NoPassword => {
            line!(out, "No password defined");
            line!(out, "Use lock PASSWORD");
        }
        LockError::AlreadyLocked => line!(out, "Config already locked"),
        LockError::WrongPassword => line!(out, "Unlock failed. Invalid password"),
        LockError::Damaged => {
            line!(
                out,
                "The lock is damaged. Set a new password with lock PASSWORD on the serial line"
            );
        }
        LockError::TooSoon { seconds } => {
            line!(out, "Unlock failed. After a wrong password: wait {seconds} s");
        }
    }
}
