//! The host's end of a stream that came from the engine.
//!
//! Nothing is read before somebody asks, so that a stream nobody looked into can be handed on. Until then one small
//! task in the store waits for what becomes of it: only tasks get to the store.

use super::consume::Consumer;
use super::made::{Made, batch_len};
use crate::attach::Attach;
use crate::cell::lock;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use wasmtime::component::{Accessor, AccessorTask, Lift, StreamReader};
use wasmtime::{AsContextMut, Result, StoreContextMut};

/// Takes some of the items; none when it is pending, and no more ever with `None`.
pub(crate) type Sink<T> = Box<dyn FnMut(&mut Context<'_>, &[T]) -> Poll<Option<usize>> + Send>;

/// What the task is to do with the engine's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Read,
    Close,
}

pub(crate) struct State<T> {
    /// The engine's end, until it is read, closed or handed on.
    reader: Option<StreamReader<T>>,
    asked: Asked,
    task: Option<Waker>,
    /// What was read, and not yet taken.
    pub(crate) ready: Ready<T>,
    /// Takes items where they are, in place of `ready`.
    pub(crate) sink: Option<Sink<T>>,
    pub(crate) read: Option<Waker>,
    pub(crate) written: Option<Waker>,
    /// The host made it: its source, without the engine in between.
    back: Option<Made<T>>,
    /// Nothing comes any more.
    pub(crate) ended: bool,
    /// Nobody reads any more.
    pub(crate) dropped: bool,
}

/// So many batches wait at most: the writer goes on meanwhile, and is not woken for each.
const AHEAD: usize = 4;

/// Batches that were read.
pub(crate) struct Ready<T> {
    batches: VecDeque<Vec<T>>,
    /// An empty one, to be used again.
    spare: Vec<T>,
}

impl<T> Ready<T> {
    const fn new() -> Self {
        Ready { batches: VecDeque::new(), spare: Vec::new() }
    }

    /// There is no place for any more items.
    pub(crate) fn is_full(&self) -> bool {
        self.batches.len() >= AHEAD
    }

    /// Where to put so many items: with those that came last, if that makes no more than a batch.
    pub(crate) fn vec_for(&mut self, count: usize) -> Vec<T> {
        match self.batches.pop_back_if(|last| last.len() + count <= batch_len::<T>()) {
            Some(last) => last,
            None => {
                let mut batch = std::mem::take(&mut self.spare);
                batch.reserve_exact(count);
                batch
            }
        }
    }

    pub(crate) fn push(&mut self, batch: Vec<T>) {
        if !batch.is_empty() {
            self.batches.push_back(batch);
        }
    }

    /// Puts back what was to be taken first.
    pub(crate) fn put_back(&mut self, batch: Vec<T>) {
        if !batch.is_empty() {
            self.batches.push_front(batch);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Vec<T>> {
        self.batches.pop_front()
    }
}

/// Shared between the stream, its task, and what the engine calls.
pub(crate) struct Port<T> {
    state: Mutex<State<T>>,
    /// Which store the reader belongs to.
    home: usize,
}

/// Tells stores apart, as long as they live: their data does not move.
pub(crate) fn home<D>(store: &StoreContextMut<'_, D>) -> usize {
    std::ptr::from_ref(store.data()).addr()
}

/// What came of asking.
pub(crate) enum Taken<T> {
    Batch,
    Back(Made<T>),
    End,
}

impl<T> Port<T> {
    pub(crate) fn state(&self) -> std::sync::MutexGuard<'_, State<T>> {
        lock(&self.state)
    }

    /// Items were read, and are there to be taken.
    pub(crate) fn read(&self, batch: Vec<T>) {
        let mut state = self.state();
        state.ready.push(batch);
        state.wake_reader();
    }

    /// The engine's end, unless it was read from, or belongs to another store.
    pub(crate) fn hand_on(&self, home: usize) -> Option<StreamReader<T>> {
        let mut state = self.state();
        let reader = if self.home == home { state.reader.take() } else { None };
        if reader.is_some() {
            state.ask(Asked::Close);
        }
        reader
    }

    /// Swaps what is there for the empty `batch`.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>, batch: &mut VecDeque<T>) -> Poll<Taken<T>> {
        let mut state = self.state();
        if let Some(taken) = state.take(batch) {
            return Poll::Ready(taken);
        }
        state.ask(Asked::Read);
        state.read = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Has the engine put everything into the sink; what came before that is in `batch`, and then the sink is back.
    pub(crate) fn poll_pour(
        &self,
        cx: &mut Context<'_>,
        sink: &mut Option<Sink<T>>,
        batch: &mut VecDeque<T>,
    ) -> Poll<Taken<T>> {
        let mut state = self.state();
        if sink.is_some() || state.ended || state.back.is_some() {
            *sink = sink.take().or_else(|| state.sink.take());
            if let Some(taken) = state.take(batch) {
                return Poll::Ready(taken);
            }
            state.sink = sink.take();
            state.ask(Asked::Read);
            state.wake_writer();
        }
        state.read = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> State<T> {
    fn take(&mut self, batch: &mut VecDeque<T>) -> Option<Taken<T>> {
        if let Some(made) = self.back.take() {
            return Some(Taken::Back(made));
        }
        if let Some(next) = self.ready.pop() {
            self.ready.spare = Vec::from(std::mem::replace(batch, next.into()));
            self.wake_writer();
            return Some(Taken::Batch);
        }
        self.ended.then_some(Taken::End)
    }

    fn ask(&mut self, what: Asked) {
        if self.asked == Asked::Nothing {
            self.asked = what;
            wake(self.task.take());
        }
    }

    fn wake_writer(&mut self) {
        wake(self.written.take());
    }

    pub(crate) fn wake_reader(&mut self) {
        wake(self.read.take());
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.wake_reader();
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The user's share of a [`Port`]: closes the stream when it is dropped.
pub(crate) struct PortRef<T>(Arc<Port<T>>);

impl<T> std::ops::Deref for PortRef<T> {
    type Target = Port<T>;

    fn deref(&self) -> &Port<T> {
        &self.0
    }
}

impl<T> Drop for PortRef<T> {
    fn drop(&mut self) {
        let mut state = self.state();
        state.dropped = true;
        state.ask(Asked::Close);
        state.wake_writer();
        let dropped = (std::mem::replace(&mut state.ready, Ready::new()), state.sink.take(), state.back.take());
        drop(state);
        // Their drops may do anything, hence not under the lock.
        drop(dropped);
    }
}

impl<T: Lift + Attach + Send + Sync + 'static> PortRef<T> {
    pub(crate) fn new<D: Send>(reader: StreamReader<T>, mut store: StoreContextMut<'_, D>) -> Result<PortRef<T>> {
        let state = State {
            reader: Some(reader),
            asked: Asked::Nothing,
            task: None,
            ready: Ready::new(),
            sink: None,
            read: None,
            written: None,
            back: None,
            ended: false,
            dropped: false,
        };
        let port = Arc::new(Port { state: Mutex::new(state), home: home(&store) });
        store.as_context_mut().spawn(Task(port.clone()))?;
        Ok(PortRef(port))
    }
}

struct Task<T>(Arc<Port<T>>);

impl<D: Send + 'static, T: Lift + Attach + Send + Sync + 'static> AccessorTask<D> for Task<T> {
    async fn run(self, accessor: &Accessor<D>) -> Result<()> {
        let asked = poll_fn(|cx| {
            let mut state = self.0.state();
            if state.asked == Asked::Nothing {
                state.task = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(state.asked)
        })
        .await;
        let Some(mut reader) = self.0.state().reader.take() else { return Ok(()) };
        accessor.with(|mut access| {
            let mut store = access.as_context_mut();
            if asked == Asked::Close {
                return reader.close(store);
            }
            match reader.try_into::<Made<T>>(&mut store) {
                Ok(made) => {
                    let mut state = self.0.state();
                    state.back = Some(made);
                    state.wake_reader();
                    Ok(())
                }
                Err(reader) => Consumer::start(self.0.clone(), reader, store),
            }
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        // The store is gone, and the stream with it.
        if state.reader.take().is_some() {
            state.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_batches_become_one_and_come_out_in_order() {
        let mut ready = Ready::new();
        for items in [[1, 2], [3, 4]] {
            let mut batch = ready.vec_for(items.len());
            batch.extend(items);
            ready.push(batch);
        }
        assert_eq!(ready.pop(), Some(vec![1, 2, 3, 4]));
        assert_eq!(ready.pop(), None);
    }

    #[test]
    fn big_batches_stay_apart_until_there_is_no_place() {
        let mut ready = Ready::new();
        for round in 0..AHEAD {
            assert!(!ready.is_full());
            let mut batch = ready.vec_for(batch_len::<u8>());
            assert!(batch.is_empty());
            batch.resize(batch_len::<u8>(), round as u8);
            ready.push(batch);
        }
        assert!(ready.is_full());
        let first = ready.pop().unwrap_or_default();
        assert_eq!((first.len(), first[0]), (batch_len::<u8>(), 0));
        ready.put_back(first);
        assert_eq!(ready.pop().map(|batch| batch[0]), Some(0));
        assert_eq!(ready.pop().map(|batch| batch[0]), Some(1));
    }
}
