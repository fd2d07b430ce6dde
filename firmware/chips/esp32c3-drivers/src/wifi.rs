//! What the chip's reasons mean.

use umqtt_device::wifi::JoinError;

/// Why a network was not joined, from the reason of the event `WIFI_EVENT_STA_DISCONNECTED`: those
/// below 200 are the standard's (IEEE 802.11-2020, table 9-49), those from 200 on Espressif's.
pub fn join_error(reason: u16) -> JoinError {
    match reason {
        // 4-way handshake timeout, authentication failed, handshake timeout: a wrong password
        // is no reason of its own.
        15 | 202 | 204 => JoinError::WrongPassword,
        // No AP found; with compatible security; with that kind of protection; strong enough.
        201 | 210..=212 => JoinError::NotFound,
        // Authentication or association expired, beacon timeout, connection failed.
        2 | 4 | 39 | 200 | 205 => JoinError::Timeout,
        // Too many stations, left, not authorised; association failed or refused.
        3 | 5..=9 | 17 | 203 => JoinError::Refused,
        _ => JoinError::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_can_mend_has_a_reason_of_its_own() {
        assert_eq!(join_error(15), JoinError::WrongPassword);
        assert_eq!(join_error(204), JoinError::WrongPassword);
        assert_eq!(join_error(201), JoinError::NotFound);
        assert_eq!(join_error(200), JoinError::Timeout);
        assert_eq!(join_error(5), JoinError::Refused);
        assert_eq!(join_error(1), JoinError::Failed);
        assert_eq!(join_error(999), JoinError::Failed);
    }
}
