//! An interpreter of small programs. It is compiled into a guest, and into the test that compares that guest with the same
//! code natively; what is around it, `host`, `numbers` and so on, is in the module that it is in.

use super::host;
use std::cell::RefCell;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use wasp_guest_rt::{
    FutureReader, FutureWriter, JoinHandle, StreamReader, StreamResult, StreamWriter, backpressure_dec,
    backpressure_inc, block_on, spawn_local, yield_async,
};

/// The first number of what is told of the interpreter.
pub(crate) const LOG: u32 = 1000;
/// A call has started.
pub(crate) const RUN: u32 = LOG;
const DONE: u32 = LOG + 1;
const STEP: u32 = LOG + 2;
const NOTHING_THERE: u32 = u32::MAX;

type Later = Pin<Box<dyn Future<Output = u32>>>;

/// How many things of a kind there are.
const SLOTS: usize = 4;

/// What the routines share.
#[derive(Default)]
struct State {
    numbers: Ends<StreamReader<u32>, StreamWriter<u32>>,
    texts: Ends<StreamReader<String>, StreamWriter<String>>,
    number: Ends<FutureReader<u32>, FutureWriter<u32>>,
    text: Ends<FutureReader<String>, FutureWriter<String>>,
    held: [Option<Later>; SLOTS],
    handles: [Option<JoinHandle<u32>>; SLOTS],
    flags: [Flag; SLOTS],
    next: u32,
    poking: bool,
}

struct Ends<R, W> {
    readers: [Option<R>; SLOTS],
    writers: [Option<W>; SLOTS],
}

impl<R, W> Default for Ends<R, W> {
    fn default() -> Self {
        Ends { readers: [const { None }; SLOTS], writers: [const { None }; SLOTS] }
    }
}

#[derive(Default)]
struct Flag {
    raised: bool,
    wakers: Vec<Waker>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

fn with<T>(f: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(f)
}

fn number() -> u32 {
    with(|state| {
        state.next += 1;
        state.next
    })
}

fn text() -> String {
    format!("text {}", number())
}

fn result(result: StreamResult) -> u32 {
    match result {
        StreamResult::Complete(count) => 16 * count as u32,
        StreamResult::Dropped => 1,
        StreamResult::Cancelled => 2,
    }
}

/// Polls both, and drops the one that is not ready first.
async fn either<T>(first: impl Future<Output = T>, second: impl Future<Output = T>) -> T {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|cx| match first.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(value),
        Poll::Pending => second.as_mut().poll(cx),
    })
    .await
}

/// What differs between the kinds of streams and futures.
macro_rules! kinds {
    ($($kind:ident: $new:ident $give:ident $take:ident $read:ident $write:ident, $value:expr, $reader:ty;)*) => {$(
        pub(crate) fn $give(slot: u32, reader: $reader) {
            let old = with(|state| state.$kind.readers[slot as usize % SLOTS].replace(reader));
            drop(old);
        }

        pub(crate) fn $take(slot: u32) -> $reader {
            let (writer, reader) = super::$new();
            let old = with(|state| state.$kind.writers[slot as usize % SLOTS].replace(writer));
            drop(old);
            reader
        }
    )*

        fn new_pair(kind: u8, slot: usize) {
            match kind % 4 {
                $(x if x == Kind::$kind as u8 => {
                    let (writer, reader) = super::$new();
                    let old = with(|state| {
                        let ends = &mut state.$kind;
                        (ends.readers[slot].replace(reader), ends.writers[slot].replace(writer))
                    });
                    drop(old);
                })*
                _ => {}
            }
        }

        fn drop_reader(kind: u8, slot: usize) {
            match kind % 4 {
                $(x if x == Kind::$kind as u8 => drop(with(|state| state.$kind.readers[slot].take())),)*
                _ => {}
            }
        }

        fn drop_writer(kind: u8, slot: usize) {
            match kind % 4 {
                $(x if x == Kind::$kind as u8 => drop(with(|state| state.$kind.writers[slot].take())),)*
                _ => {}
            }
        }

        async fn read(kind: u8, slot: usize, count: usize) -> u32 {
            match kind % 4 {
                $(x if x == Kind::$kind as u8 => {
                    let Some(reader) = with(|state| state.$kind.readers[slot].take()) else { return NOTHING_THERE };
                    $read!(reader, count, |reader| {
                        let old = with(|state| state.$kind.readers[slot].replace(reader));
                        drop(old);
                    })
                })*
                _ => 0,
            }
        }

        async fn write(kind: u8, slot: usize, count: usize) -> u32 {
            match kind % 4 {
                $(x if x == Kind::$kind as u8 => {
                    let Some(writer) = with(|state| state.$kind.writers[slot].take()) else { return NOTHING_THERE };
                    $write!(writer, count, $value, |writer| {
                        let old = with(|state| state.$kind.writers[slot].replace(writer));
                        drop(old);
                    })
                })*
                _ => 0,
            }
        }
    };
}

/// In the order of the programs' numbers.
#[allow(non_camel_case_types)]
enum Kind {
    numbers,
    texts,
    number,
    text,
}

macro_rules! read_stream {
    ($reader:expr, $count:expr, $keep:expr) => {{
        let mut reader = $reader;
        let (code, items) = reader.read(Vec::with_capacity($count)).await;
        $keep(reader);
        result(code) + (items.len() as u32) * 4096 + sum(&items) * 65536
    }};
}

macro_rules! write_stream {
    ($writer:expr, $count:expr, $value:expr, $keep:expr) => {{
        let mut writer = $writer;
        let (code, rest) = writer.write((0..$count).map(|_| $value).collect()).await;
        $keep(writer);
        result(code) + rest.into_vec().len() as u32 * 4096
    }};
}

macro_rules! read_future {
    ($reader:expr, $count:expr, $keep:expr) => {{
        let value = $reader.into_future().await;
        sum(&[value])
    }};
}

macro_rules! write_future {
    ($writer:expr, $count:expr, $value:expr, $keep:expr) => {
        u32::from($writer.write($value).await.is_err())
    };
}

kinds! {
    numbers: new_numbers give_numbers take_numbers read_stream write_stream, number(), StreamReader<u32>;
    texts: new_texts give_texts take_texts read_stream write_stream, text(), StreamReader<String>;
    number: new_number give_number take_number read_future write_future, number(), FutureReader<u32>;
    text: new_text give_text take_text read_future write_future, text(), FutureReader<String>;
}

trait Weigh {
    fn weight(&self) -> u32;
}

impl Weigh for u32 {
    fn weight(&self) -> u32 {
        *self
    }
}

impl Weigh for String {
    fn weight(&self) -> u32 {
        self.len() as u32
    }
}

fn sum<T: Weigh>(items: &[T]) -> u32 {
    items.iter().map(Weigh::weight).sum::<u32>() % 256
}

fn wait_for_flag(slot: usize) -> impl Future<Output = ()> {
    poll_fn(move |cx| {
        with(|state| {
            let flag = &mut state.flags[slot];
            if flag.raised {
                flag.raised = false;
                return Poll::Ready(());
            }
            flag.wakers.push(cx.waker().clone());
            Poll::Pending
        })
    })
}

/// What a call of the export does.
pub(crate) async fn run(id: u32) -> u32 {
    host::trace(RUN, id, 0, 0);
    play(id).await
}

/// What a call of the synchronous export does: polls a routine once, and keeps what is not ready.
pub(crate) fn poke(id: u32) {
    host::trace(RUN, id, 1, 0);
    let mut future: Later = Box::pin(play(id));
    with(|state| state.poking = true);
    let is_pending = future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
    with(|state| state.poking = false);
    if is_pending {
        let old = with(|state| state.held[SLOTS - 1].replace(future));
        drop(old);
    }
}

fn later(id: u32) -> Later {
    Box::pin(play(id))
}

async fn play(id: u32) -> u32 {
    for step in host::routine(id).chunks_exact(4) {
        let result = take_step([step[0], step[1], step[2], step[3]]).await;
        host::trace(STEP, id, u32::from(step[0]), result);
    }
    host::trace(DONE, id, 0, 0);
    id
}

async fn take_step([what, a, b, kind]: [u8; 4]) -> u32 {
    let (slot, count, id) = (usize::from(b) % SLOTS, usize::from(a) % 5, u32::from(a));
    match what {
        // There an engine runs the tasks of the guest, and the export again, while a callee starts in another component:
        // what is on two stacks then cannot be played on one.
        25.. if with(|state| state.poking) => NOTHING_THERE,
        0 => host::number(id).await,
        1 => host::text(id, format!("ask {id}")).await.weight(),
        2 => hold(Box::pin(host::number(id)), slot).await,
        3 => match with(|state| state.held[slot].take()) {
            Some(held) => held.await,
            None => NOTHING_THERE,
        },
        4 => u32::from(with(|state| state.held[slot].take()).is_some()),
        5 => {
            yield_async().await;
            0
        }
        6 => {
            let handle = spawn_local(later(id));
            let old = with(|state| state.handles[slot].replace(handle));
            drop(old);
            0
        }
        7 => match with(|state| state.handles[slot].take()) {
            Some(handle) => handle.await.unwrap_or(NOTHING_THERE),
            None => NOTHING_THERE,
        },
        8 => match with(|state| state.handles[slot].take()) {
            Some(mut handle) => {
                handle.cancel();
                handle.await.unwrap_or(NOTHING_THERE)
            }
            None => NOTHING_THERE,
        },
        9 => u32::from(with(|state| state.handles[slot].take()).is_some()),
        10 => {
            new_pair(kind, slot);
            0
        }
        11 => read(kind, slot, count).await,
        12 => write(kind, slot, count).await,
        13 => {
            drop_reader(kind, slot);
            0
        }
        14 => {
            drop_writer(kind, slot);
            0
        }
        15 => either(read(kind, slot, count), host::number(id)).await,
        16 => either(write(kind, slot, count), host::number(id)).await,
        17 => either(host::number(id), host::number(u32::from(b))).await,
        18 => block_on(later(id)),
        19 => {
            backpressure_inc();
            0
        }
        20 => {
            backpressure_dec();
            0
        }
        21 => {
            wait_for_flag(slot).await;
            0
        }
        22 => {
            let wakers = with(|state| {
                state.flags[slot].raised = true;
                std::mem::take(&mut state.flags[slot].wakers)
            });
            wakers.into_iter().for_each(Waker::wake);
            0
        }
        23 => hold(Box::pin(async move { read(kind, slot, count).await }), usize::from(a) % SLOTS).await,
        24 => hold(Box::pin(async move { write(kind, slot, count).await }), usize::from(a) % SLOTS).await,
        25 => super::late(id, number()).await,
        26 => hold(Box::pin(super::late(id, number())), slot).await,
        _ => either(super::late(id, number()), host::number(u32::from(b))).await,
    }
}

/// Polls a future once, and keeps it if it is not ready.
async fn hold(mut future: Later, slot: usize) -> u32 {
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(value) => value,
        Poll::Pending => {
            let old = with(|state| state.held[slot].replace(future));
            drop(old);
            NOTHING_THERE
        }
    }
}

/// Forgets everything, where the runtime that it would be dropped by is gone.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn forget() {
    std::mem::forget(with(std::mem::take));
}
