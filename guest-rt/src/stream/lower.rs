//! What leaves the component: readers that are lowered, with what they have read ahead.

use super::channel::buf::RawBuf;
use super::raw::{self, RawReader, RawWriter};
use super::raw_copy::{RawItems, RawWrite};
use crate::copy::{CopyState, DROPPED};
use crate::later;
use crate::payload::{Items, WriteIntrinsics};
use core::future::poll_fn;

impl RawReader {
    /// Returns a handle of the engine that is fit to be given away.
    ///
    /// This is part of lowering, so no code of users runs: that is put off. In the middle of a write nothing is cancelled
    /// either, since others could run meanwhile.
    #[inline(never)]
    pub(super) fn lowered(&self, items: &Items, writing: &'static WriteIntrinsics) -> u32 {
        // A read that cannot be ended here goes on.
        let goes_on = self.get().is_some_and(|channel| {
            let in_engine = channel.reader.pending.state.get() == CopyState::Engine;
            in_engine && later::is_writing() || !channel.reader.can_cancel()
        });
        if !goes_on {
            self.end_read().drop_later();
        }
        if let Some(channel) = self.get()
            && (goes_on || channel.has_items() || channel.reader.finished.get())
        {
            // What was read ahead comes first, and then the rest. (A stream whose end was read cannot be given away.)
            let more = goes_on || channel.has_items();
            let (writer, reader) = raw::pair(*items, writing);
            let old = self.replace(reader);
            if more {
                drop(crate::spawn_local(relay(old, writer)));
            }
        }
        self.promoted(writing)
    }
}

/// Copies what is left of a stream to another one. Both have items of the same type.
async fn relay(from: RawReader, to: RawWriter) {
    let Some(channel) = from.get() else { return };
    channel.ahead.set(channel.most_ahead());
    while poll_fn(|cx| channel.fill(cx)).await {
        let mut write = RawWrite::new(to.channel(), RawItems::new(channel.own.replace(RawBuf::EMPTY)));
        if poll_fn(|cx| write.poll_all(cx)).await == DROPPED {
            return;
        }
    }
}
