//! What the tests of the runtime share: exports and imports without a generator, over the stand-in for the engine.

use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::rc::Rc;
use std::sync::Mutex;
use wasp_guest_rt::__rt::{self, Pool};
pub(crate) use wasp_guest_rt::native::{self, TaskId, call, count, exited, handles, later, note, record, run, trace};

/// The world that the tests' types belong to.
pub(crate) struct World;

/// Calls an export made of a future; its result is noted when it is returned.
pub(crate) fn export<F: Future<Output: core::fmt::Debug>>(pool: &'static Pool, future: F) -> TaskId {
    let finish = |result| {
        native::task_return();
        native::mark(format_args!("returned {result:?}"));
    };
    // SAFETY: the macro below is the only caller, with a pool for each future; and no future outlives its test.
    call(|| unsafe { __rt::start(pool, || future, finish) })
}

/// Calls an export that has a pool of its own.
#[macro_export]
macro_rules! export {
    ($future:expr) => {{
        static POOL: wasp_guest_rt::__rt::Pool = wasp_guest_rt::__rt::Pool::new();
        $crate::support::export(&POOL, $future)
    }};
}

/// Offers a call of an export that has a pool of its own: it starts as soon as it can.
#[macro_export]
macro_rules! offer {
    ($future:expr) => {{
        static POOL: wasp_guest_rt::__rt::Pool = wasp_guest_rt::__rt::Pool::new();
        let (future, finish) = ($future, |result| {
            $crate::support::native::task_return();
            $crate::support::native::mark(format_args!("returned {result:?}"));
        });
        // SAFETY: the pool is for this call of `start` alone.
        $crate::support::native::offer(move || unsafe { wasp_guest_rt::__rt::start(&POOL, || future, finish) })
    }};
}

/// A call of the import that the test answers.
#[derive(Clone, Copy)]
pub(crate) struct Callee {
    pub(crate) subtask: u32,
    result: usize,
}

impl Callee {
    /// The callee returns.
    pub(crate) fn returns(self, value: u32) {
        self.writes(value);
        native::returned(self.subtask);
    }

    /// The callee has read its parameters.
    pub(crate) fn starts(self) {
        native::started(self.subtask);
    }

    /// When it is cancelled, the callee still returns.
    pub(crate) fn returns_when_cancelled(self, value: u32) {
        native::on_cancel(self.subtask, move || {
            self.writes(value);
            2
        });
    }

    fn writes(self, value: u32) {
        // SAFETY: the engine may write to the result area while the subtask is not resolved.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(self.result).write(value) }
    }
}

thread_local! {
    static CALLEES: RefCell<Vec<Option<Callee>>> = const { RefCell::new(Vec::new()) };
}

/// The callee of the latest call with this parameter.
pub(crate) fn callee(number: u32) -> Callee {
    CALLEES.with_borrow(|callees| callees[number as usize]).expect("it was called")
}

/// A call was made: remembers its callee.
pub(crate) fn called(number: u32, status: u32, result: usize) -> u32 {
    CALLEES.with_borrow_mut(|callees| {
        if callees.len() <= number as usize {
            callees.resize(number as usize + 1, None);
        }
        callees[number as usize] = Some(Callee { subtask: status >> 4, result });
    });
    status
}

/// An async import, `(u32) -> u32`, that starts at once and returns later.
pub(crate) fn import(number: u32) -> impl Future<Output = u32> {
    // SAFETY: the stand-in answers as such an import does.
    unsafe {
        __rt::async_call::<World, _, u32, 1, 1>((number,), |args: [u64; 1], result| {
            native::mark(format_args!("import {}", args[0]));
            called(args[0] as u32, native::subtask_started(), result)
        })
    }
}

/// An async import, `(string) -> u32`, that does not start at once.
pub(crate) fn import_string(number: u32, text: Noisy<String>) -> impl Future<Output = u32> {
    // SAFETY: the stand-in answers as such an import does.
    unsafe {
        __rt::async_call::<World, _, u32, 2, 1>((text,), move |_, result| {
            native::mark(format_args!("import {number}"));
            called(number, native::subtask_starting(), result)
        })
    }
}

/// An async import, `(u32) -> u32`, that returns at once.
pub(crate) fn import_ready(number: u32) -> impl Future<Output = u32> {
    // SAFETY: the stand-in answers as such an import does.
    unsafe {
        __rt::async_call::<World, _, u32, 1, 1>((number,), |args: [u64; 1], result| {
            core::ptr::with_exposed_provenance_mut::<u32>(result).write(args[0] as u32 + 1);
            2
        })
    }
}

/// A value that notes when it is dropped, and when the other side takes what it owns.
pub(crate) struct Noisy<T>(pub(crate) &'static str, pub(crate) T);

impl<T> Drop for Noisy<T> {
    fn drop(&mut self) {
        native::mark(format_args!("drop {}", self.0));
    }
}

// SAFETY: walked as what it has.
unsafe impl<W, T: __rt::Abi<W>> __rt::Abi<W> for Noisy<T> {
    const SHAPE: __rt::Shape = T::SHAPE;
}

// SAFETY: walked as what it has.
unsafe impl<W, T: __rt::Lower<W>> __rt::Lower<W> for Noisy<T> {
    const OWNS: bool = true;
    unsafe fn lower<S: __rt::Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe { self.1.lower(to) }
    }
    unsafe fn disown(&self) {
        native::mark(format_args!("taken {}", self.0));
    }
}

// SAFETY: walked as what it has.
unsafe impl<W, T: __rt::Lift<W>> __rt::Lift<W> for Noisy<T> {
    unsafe fn lift<S: __rt::Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        Noisy("result", unsafe { from.take() })
    }
}

/// Polls both until both are done.
pub(crate) fn join<A: Future, B: Future>(a: A, b: B) -> impl Future<Output = (A::Output, B::Output)> {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut x, mut y) = (None, None);
    core::future::poll_fn(move |cx| {
        if x.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(cx)
        {
            x = Some(value);
        }
        if y.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(cx)
        {
            y = Some(value);
        }
        match (x.take(), y.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (x, y) = (a, b);
                Poll::Pending
            }
        }
    })
}

/// Polls all of them at each poll, until all are done; how many polls that took.
pub(crate) async fn join_all<F: Future>(futures: Vec<F>) -> (Vec<F::Output>, usize) {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    let mut polls = 0;
    core::future::poll_fn(|cx| {
        polls += 1;
        for (future, result) in &mut futures {
            if result.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *result = Some(value);
            }
        }
        if futures.iter().all(|(_, result)| result.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    (futures.into_iter().filter_map(|(_, result)| result).collect(), polls)
}

/// The first of two that is done; the other is dropped.
pub(crate) fn either<T>(a: impl Future<Output = T>, b: impl Future<Output = T>) -> impl Future<Output = T> {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    core::future::poll_fn(move |cx| match a.as_mut().poll(cx) {
        Poll::Pending => b.as_mut().poll(cx),
        ready => ready,
    })
}

/// An event inside the component, which no built-in knows of.
#[derive(Clone, Default)]
pub(crate) struct Flag(Rc<RefCell<(bool, Vec<Waker>)>>);

impl Flag {
    pub(crate) fn raise(&self) {
        let wakers = {
            let mut flag = self.0.borrow_mut();
            flag.0 = true;
            core::mem::take(&mut flag.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Raises it without telling who waits.
    pub(crate) fn raise_quietly(&self) {
        self.0.borrow_mut().0 = true;
    }

    /// The waker of who waits.
    pub(crate) fn waker(&self) -> Option<Waker> {
        self.0.borrow().1.last().cloned()
    }
}

impl Future for Flag {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut flag = self.0.borrow_mut();
        if flag.0 {
            return Poll::Ready(());
        }
        if !flag.1.iter().any(|waker| waker.will_wake(cx.waker())) {
            flag.1.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// A waker that is none of the runtime's: it counts, and wakes another.
pub(crate) struct Foreign(Mutex<Option<Waker>>, core::sync::atomic::AtomicUsize);

impl Foreign {
    pub(crate) fn new(inner: Option<Waker>) -> std::sync::Arc<Foreign> {
        std::sync::Arc::new(Foreign(Mutex::new(inner), 0.into()))
    }

    /// Wakes this one from now on.
    pub(crate) fn wakes(&self, waker: &Waker) {
        *self.0.lock().expect("one thread") = Some(waker.clone());
    }

    pub(crate) fn count(&self) -> usize {
        self.1.load(core::sync::atomic::Ordering::Relaxed)
    }
}

impl std::task::Wake for Foreign {
    fn wake(self: std::sync::Arc<Self>) {
        self.1.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
        let inner = self.0.lock().expect("one thread").clone();
        if let Some(waker) = inner {
            waker.wake();
        }
    }
}

/// How often the built-in was called.
pub(crate) fn calls_of(name: &str) -> usize {
    native::counts().into_iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| count)
}
