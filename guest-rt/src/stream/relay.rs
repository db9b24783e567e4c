//! Copying what is left of a stream to another one, whatever its items are.

use super::buf::RawBuf;
use super::raw::{RawReader, RawWriter};
use super::write::RawWrite;
use crate::copy::DROPPED;
use core::future::poll_fn;

/// Copies what is left of a stream. Both have items of the same type.
pub(super) async fn relay(from: RawReader, to: RawWriter) {
    let Some(channel) = from.get() else { return };
    channel.ahead.set(channel.most_ahead());
    while poll_fn(|cx| channel.fill(cx)).await {
        let mut write = RawWrite::new(to.channel(), channel.own.replace(RawBuf::EMPTY));
        if poll_fn(|cx| write.poll_all(cx)).await == DROPPED {
            return;
        }
    }
}
