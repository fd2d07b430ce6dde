//! The terminal as people use it: gives the lines they edit to the device, and what Ctrl-C and
//! Ctrl-D do to it.

use std::time::Duration;

use mio::Waker;
use nix::sys::signal::{Signal, raise};

use crate::byte_queue::{ByteQueue, read_all};
use crate::line_editor::{LineEditor, Typed};

/// How long the reply to a line may take before the next one can be typed.
const REPLY: Duration = Duration::from_millis(500);

const END_OF_INPUT: &[u8] =
    b"end of input: no more commands from this terminal; the device runs on, Ctrl-C stops it\n";

/// Gives lines to the device until the end of input, or of the device.
pub(crate) fn give_lines(
    mut editor: LineEditor,
    input: &ByteQueue,
    output: &ByteQueue,
    waker: &Waker,
) {
    loop {
        let prompt = input.wait_for_prompt(REPLY);
        // The editor prints only while no key waits: typed ahead, the lines would get ahead of
        // the replies.
        output.flush(REPLY);
        if input.is_closed() {
            return;
        }
        match editor.read(prompt) {
            Typed::Line(line) => {
                let bytes = [line.as_bytes(), b"\n"].concat();
                if read_all(&bytes[..], input, waker).is_err() {
                    return;
                }
            }
            Typed::Nothing => {}
            Typed::Interrupted => {
                // The terminal makes no signal of Ctrl-C while a line is edited.
                let _ = raise(Signal::SIGINT);
                return;
            }
            Typed::End => return output.push(END_OF_INPUT),
            Typed::Gone => return,
        }
    }
}
