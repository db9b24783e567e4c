//! Being told of a cancellation, instead of just being dropped.

use crate::task::spawn::spawn_local;
use crate::task::{TaskRef, current, executor};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::future::{pending, poll_fn};
use core::ptr;
use core::task::{Poll, Waker};

/// Tells whether the caller of the current task wants it cancelled.
///
/// ```
/// use wasp_guest_rt::Cancellation;
///
/// async fn count(pages: Vec<u32>) -> u32 {
///     Cancellation::heed(async |cancellation| {
///         let mut sum = 0;
///         for page in pages {
///             if cancellation.is_requested() {
///                 break; // and return what there is so far
///             }
///             sum += page;
///             wasp_guest_rt::yield_async().await;
///         }
///         sum
///     })
///     .await
/// }
/// ```
pub struct Cancellation {
    notice: Rc<Notice>,
    /// Where the notice is registered; `None` outside of tasks.
    task: Option<TaskRef>,
}

/// What a task is told through.
#[derive(Default)]
struct Notice {
    requested: Cell<bool>,
    waiting: UnsafeCell<Vec<Waker>>,
}

/// The notices of a task. Where nobody asks for one, nothing of this is linked.
pub(crate) struct Notices(Cell<*mut List>);

struct List {
    request: unsafe fn(*mut List),
    notices: Vec<Rc<Notice>>,
}

impl Notices {
    pub(crate) const fn new() -> Notices {
        Notices(Cell::new(ptr::null_mut()))
    }

    /// The caller wants the task cancelled: whether somebody was told, and so the task goes on.
    #[inline(always)]
    pub(crate) fn request(&self) -> bool {
        let list = self.0.get();
        if list.is_null() {
            return false;
        }
        // SAFETY: the list is live while it is here.
        unsafe { ((*list).request)(list) }
        true
    }

    fn add(&self, notice: Rc<Notice>) {
        if self.0.get().is_null() {
            self.0.set(Box::into_raw(Box::new(List { request: List::request, notices: Vec::new() })));
        }
        // SAFETY: it is live, and no reference into it outlives this function.
        unsafe { (*self.0.get()).notices.push(notice) }
    }

    /// Forgets all notices: their task is over.
    #[inline(always)]
    pub(crate) fn clear(&self) {
        let list = self.0.replace(ptr::null_mut());
        if !list.is_null() {
            // SAFETY: it was made by `add`, and is nobody else's.
            drop(unsafe { Box::from_raw(list) });
        }
    }

    fn remove(&self, notice: &Rc<Notice>) {
        let list = self.0.get();
        if list.is_null() {
            return;
        }
        // SAFETY: it is live, as something is in it, and no reference into it outlives this function. What is removed
        // from it is not the last reference.
        unsafe {
            (*list).notices.retain(|other| !Rc::ptr_eq(other, notice));
            if (*list).notices.is_empty() {
                self.0.set(ptr::null_mut());
                drop(Box::from_raw(list));
            }
        }
    }
}

impl List {
    /// # Safety
    /// The list is live.
    unsafe fn request(this: *mut List) {
        // What is woken may come back here.
        // SAFETY: the caller's promise; no reference into the list outlives this expression.
        let notices = unsafe { (*this).notices.clone() };
        for notice in &notices {
            notice.requested.set(true);
            // SAFETY: no reference into the vector outlives this expression.
            let waiting = unsafe { core::mem::take(&mut *notice.waiting.get()) };
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

impl Cancellation {
    /// Runs `body`, on which a cancellation by the caller of the current task has no other effect than that it is told
    /// of. It may still return a result, or [`confirm`](Self::confirm).
    ///
    /// As long as this runs, nothing of the task is dropped by a cancellation. What is awaited outside of this is, as
    /// always.
    pub async fn heed<R>(body: impl AsyncFnOnce(&Cancellation) -> R) -> R {
        let cancellation = Cancellation { notice: Rc::default(), task: current::running() };
        if let Some(task) = cancellation.task {
            task.notices.add(cancellation.notice.clone());
        }
        body(&cancellation).await
    }

    /// The caller wants the task cancelled.
    pub fn is_requested(&self) -> bool {
        self.notice.requested.get()
    }

    /// Waits until the caller wants the task cancelled.
    pub async fn requested(&self) {
        poll_fn(|cx| {
            if self.is_requested() {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            // SAFETY: no reference into the vector outlives this block, which calls nothing back.
            unsafe {
                let waiting = &mut *self.notice.waiting.get();
                if !waiting.iter().any(|other| other.will_wake(&waker)) {
                    waiting.push(waker);
                }
            }
            Poll::Pending
        })
        .await;
    }

    /// Ends the task as cancelled, once the caller wants that: its future is dropped, and the caller told so.
    pub async fn confirm(&self) -> core::convert::Infallible {
        self.requested().await;
        let task = self.task;
        // Not from inside the future that is to be dropped.
        spawn_local(async move {
            if let Some(task) = task
                && current::running() == Some(task)
            {
                executor::cancel_root(task);
            }
        })
        .detach();
        pending().await
    }
}

impl Drop for Cancellation {
    fn drop(&mut self) {
        if let Some(task) = self.task {
            task.notices.remove(&self.notice);
        }
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation").field("requested", &self.is_requested()).finish()
    }
}
