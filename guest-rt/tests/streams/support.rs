//! What the tests of streams and futures share.

use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::BTreeMap;
use wasp_guest_rt::__rt::{self, Pool};
pub(crate) use wasp_guest_rt::native::{self, Remote, TaskId, count, counts, exited, run, streams};
pub(crate) use wasp_guest_rt::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};

/// The world that the tests' types belong to.
pub(crate) struct World;

macro_rules! payloads {
    ($($kind:ident: $($ty:ty),*;)*) => {$($(
        __rt::$kind! { $ty, World, "test", new: "new", read: "read", write: "write", cancel_read: "cancel-read",
            cancel_write: "cancel-write", drop_readable: "drop-readable", drop_writable: "drop-writable" }
    )*)*};
}

payloads! {
    stream_payload: (), u8, u32, String, Token, StreamReader<u8>;
    future_payload: (), u32, String, Token, [u64; 9], StreamReader<u8>, Result<u32, String>;
}

pub(crate) fn stream<T: __rt::StreamPayload<World>>() -> (StreamWriter<T>, StreamReader<T>) {
    __rt::stream_new::<World, T>()
}

pub(crate) fn future<T: __rt::FuturePayload<World>>(default: fn() -> T) -> (FutureWriter<T>, FutureReader<T>) {
    __rt::future_new::<World, T>(default)
}

/// The component is passed a handle.
pub(crate) fn lift<T: __rt::Lift<World>>(handle: u32) -> T {
    // SAFETY: the tests pass handles of the right type.
    unsafe { __rt::lift_params::<World, (T,), 1>([u64::from(handle)]) }.0
}

/// The component passes a value on.
pub(crate) fn give<T: __rt::Lower<World>>(value: T) -> Remote {
    Remote::lift(__rt::return_flat::<World, _>(value) as u32)
}

/// The component lowers a value that is not taken in the end.
pub(crate) fn offer<T: __rt::Lower<World>>(value: &T) -> u32 {
    let mut slot = 0u32;
    // SAFETY: there is room for a handle.
    unsafe { value.store((&raw mut slot).cast(), &mut __rt::Scratch::new()) }
    slot
}

/// Calls an export.
pub(crate) fn export_in<F: Future<Output = ()>>(pool: &'static Pool, future: F) -> TaskId {
    // SAFETY: nobody else uses the pool.
    native::call(|| unsafe { __rt::start(pool, || future, |()| native::task_return()) })
}

/// Calls an export that has a pool of its own.
#[macro_export]
macro_rules! export {
    ($future:expr) => {{
        static POOL: wasp_guest_rt::__rt::Pool = wasp_guest_rt::__rt::Pool::new();
        $crate::support::export_in(&POOL, $future)
    }};
}

/// Polls once, and wakes nobody.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls once as part of the task.
pub(crate) async fn poll_here<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

/// Lets the engine have its turn.
pub(crate) async fn turn() {
    for _ in 0..3 {
        wasp_guest_rt::yield_async().await;
    }
}

thread_local! {
    static TOKENS: RefCell<BTreeMap<u32, Fate>> = const { RefCell::new(BTreeMap::new()) };
}

/// What became of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Here,
    Given,
    Dropped,
}

/// Something that exists once, as a resource does: made here or lifted, and in the end dropped or given away.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token(pub(crate) u32);

impl Token {
    pub(crate) fn new(id: u32) -> Token {
        TOKENS.with_borrow_mut(|tokens| assert_ne!(tokens.insert(id, Fate::Here), Some(Fate::Here), "{id} is doubled"));
        Token(id)
    }

    pub(crate) fn many(ids: core::ops::Range<u32>) -> Vec<Token> {
        ids.map(Token::new).collect()
    }
}

/// What became of the tokens that were made since the last time.
pub(crate) fn fates() -> BTreeMap<u32, Fate> {
    TOKENS.take()
}

impl Drop for Token {
    fn drop(&mut self) {
        TOKENS.with_borrow_mut(|tokens| {
            if let Some(fate) = tokens.get_mut(&self.0)
                && *fate == Fate::Here
            {
                *fate = Fate::Dropped;
            }
        });
    }
}

// SAFETY: walked as the number it is.
unsafe impl<W> __rt::Abi<W> for Token {
    const SHAPE: __rt::Shape = __rt::Shape::scalar(4);
}

// SAFETY: walked as the number it is.
unsafe impl<W> __rt::Lift<W> for Token {
    unsafe fn lift<S: __rt::Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        Token::new(unsafe { from.u32() })
    }
}

// SAFETY: walked as the number it is.
unsafe impl<W> __rt::Lower<W> for Token {
    const OWNS: bool = true;
    unsafe fn lower<S: __rt::Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe { to.u32(self.0) }
    }
    unsafe fn disown(&self) {
        TOKENS.with_borrow_mut(|tokens| assert_eq!(tokens.insert(self.0, Fate::Given), Some(Fate::Here)));
    }
}

/// Nothing is left of streams in the engine.
pub(crate) fn nothing_is_left() {
    assert_eq!(streams(), 0, "streams are left");
}
