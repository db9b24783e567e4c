//! Writing what is borrowed.

use super::buf::RawBuf;
use super::{StreamResult, StreamWriter};
use crate::task::current;
use core::future::poll_fn;
use core::mem::size_of;
use core::task::{Context, Poll};

impl<T: Copy> StreamWriter<T> {
    /// Writes all of `values`: how many, which is less than all when the reader was dropped.
    ///
    /// A reader that is waiting takes them from where they are. Only what nobody is waiting for is copied, since the
    /// engine may not keep the address of something that is borrowed.
    ///
    /// ```
    /// # wasp_guest_rt::generate!({ inline: "package a:b; world w { export f: func() -> stream<u8>; }" });
    /// async fn greet(mut writer: wasp_guest_rt::StreamWriter<u8>) {
    ///     writer.write_slice(b"Hello").await;
    /// }
    /// # fn main() {}
    /// ```
    pub async fn write_slice(&mut self, values: &[T]) -> usize {
        let mut done = 0;
        while let Some(rest) = values.get(done..).filter(|rest| !rest.is_empty()) {
            match poll_fn(|cx| Poll::Ready(self.try_write_slice(rest, cx))).await {
                StreamResult::Complete(count) if count > 0 => done += count,
                StreamResult::Dropped => return done,
                _ => return done + rest.len() - self.write_all(rest.to_vec()).await.len(),
            }
        }
        done
    }

    /// Writes what the reader takes at once.
    fn try_write_slice(&mut self, values: &[T], cx: &mut Context<'_>) -> StreamResult {
        let channel = self.channel();
        channel.drop_forgotten_write();
        if channel.writer.finished.get() {
            return StreamResult::Dropped;
        }
        if !current::may_block() || size_of::<T>() == 0 {
            return StreamResult::Cancelled;
        }
        // It is never freed: whoever has it in the end forgets it. `T` has no destructor.
        let mut buf = RawBuf { ptr: values.as_ptr().cast_mut().cast(), cap: values.len(), len: values.len(), head: 0 };
        let code = match channel.write(&mut buf, &mut 0, cx) {
            Some(code) => code,
            None => channel.cancel_write().0,
        };
        StreamResult::from_code(code)
    }
}
