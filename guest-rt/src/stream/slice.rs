//! Writing what is borrowed.

use super::StreamWriter;
use super::raw_copy::finish_kept;
use crate::copy::{self, Wake};
use core::future::poll_fn;
use core::mem::size_of;
use core::task::{Context, Poll, ready};

impl<T: Copy> StreamWriter<T> {
    /// Writes all of `values`. Returns how many were written, which is less than all when the reader was dropped.
    ///
    /// A reader that is waiting takes them from where they are, if they are what the canonical ABI has in memory: numbers
    /// and the like. Only what nobody is waiting for is copied, since the engine may not keep the address of something
    /// that is borrowed.
    ///
    /// ```
    /// # wasp_guest_rt::generate!({ inline: "package a:b; world w { export f: async func() -> stream<u8>; }" });
    /// async fn greet(mut writer: wasp_guest_rt::StreamWriter<u8>) {
    ///     writer.write_slice(b"Hello").await;
    /// }
    /// # fn main() {}
    /// ```
    pub async fn write_slice(&mut self, values: &[T]) -> usize {
        let mut done = 0;
        while let Some(rest) = values.get(done..).filter(|rest| !rest.is_empty()) {
            let count = poll_fn(|cx| self.poll_write_at_once(cx, rest)).await;
            if count == 0 {
                return values.len() - self.write_all(rest.to_vec()).await.len();
            }
            done += count;
        }
        done
    }

    /// Writes what the reader takes at once. Returns how many those are.
    fn poll_write_at_once(&mut self, cx: &mut Context<'_>, values: &[T]) -> Poll<usize> {
        let channel = self.channel();
        if channel.writer.is_copying() {
            ready!(finish_kept(channel, &mut Wake::of(cx)));
        }
        if channel.writer.finished.get() || size_of::<T>() == 0 {
            return Poll::Ready(0);
        }
        // SAFETY: the items are there, of the channel's type, and `Copy` ones have no destructor.
        let (code, wake) = unsafe { channel.write_at_once(values.as_ptr().cast(), values.len()) };
        wake.wake();
        Poll::Ready(copy::count(code))
    }
}
