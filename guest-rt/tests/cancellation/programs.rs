//! The programs, and what must have been seen of each.

use crate::explore::explore;
use crate::support::{StreamResult, Token, future, stream};
use crate::world::{Program, World};
use core::future::IntoFuture;
use core::pin::pin;
use std::rc::Rc;
use wasp_guest_rt::{Cancellation, Either, JoinHandle, scope, select, spawn_local, timeout, yield_async};

/// Checks that the program was cancelled where it waits, at each of these places, and in so many orders at least.
fn cancelled_everywhere(program: fn(Rc<World>) -> Program, places: &[&str], at_least: usize) {
    let found = explore(program);
    if cfg!(miri) {
        return;
    }
    assert_eq!(found.waited.iter().copied().collect::<Vec<_>>(), places);
    assert_eq!(found.dropped, found.waited);
    assert!(found.cancelled > 0 && found.returned > 0, "{} cancelled, {} returned", found.cancelled, found.returned);
    assert!(found.runs >= at_least, "only {} orders", found.runs);
}

#[test]
fn calls() {
    cancelled_everywhere(
        |world| {
            Box::pin(async move {
                let _first = world.at("1 a call", world.call(true)).await;
                let _second = world.at("2 a call that starts late", world.call(false)).await;
                world.at("3 a turn", yield_async()).await;
                let (one, two) = (world.call(true), world.call(false));
                _ = world.at("4 two calls", futures::future::join(one, two)).await;
            })
        },
        &["1 a call", "2 a call that starts late", "3 a turn", "4 two calls"],
        200,
    );
}

#[test]
fn reads() {
    cancelled_everywhere(
        |world| {
            Box::pin(async move {
                let mut reader = world.stream(&[3, 2, 1]);
                _ = world.at("1 next", reader.next()).await;
                _ = world.at("2 a read", reader.read(Vec::with_capacity(1))).await;
                _ = world.at("3 a chunk", reader.next_chunk()).await;
                let value = world.future();
                _ = world.at("4 a future", value.into_future()).await;
                _ = world.at("5 the rest", reader.collect()).await;
            })
        },
        &["1 next", "2 a read", "3 a chunk", "4 a future", "5 the rest"],
        400,
    );
}

#[test]
fn writes() {
    cancelled_everywhere(
        |world| {
            Box::pin(async move {
                let (mut writer, reader) = stream::<Token>();
                world.reader(reader, &[1, 3, 9]);
                _ = world.at("1 a write", writer.write(vec![world.token(), world.token()])).await;
                let all = (0..3).map(|_| world.token()).collect();
                _ = world.at("2 a write of all", writer.write_all(all)).await;
                let (tx, rx) = future::<Token>(|| Token::new(1_000_000));
                world.future_reader(rx);
                _ = world.at("3 a future", tx.write(world.token())).await;
                _ = world.at("4 one more", writer.write_one(world.token())).await;
            })
        },
        &["1 a write", "2 a write of all", "3 a future", "4 one more"],
        350,
    );
}

#[test]
fn pairs_inside_of_the_component_and_spawned_tasks() {
    cancelled_everywhere(
        |world| {
            Box::pin(async move {
                let (mut writer, mut reader) = stream::<Token>();
                let inner = world.clone();
                let mut task = spawn_local(async move {
                    let token = inner.call(true).await;
                    writer.write_all(vec![token]).await;
                    writer.write_all(vec![inner.call(true).await, inner.token()]).await;
                    writer
                });
                _ = world.at("1 next", reader.next()).await;
                let (tx, rx) = future::<Token>(|| Token::new(1_000_000));
                tx.write_and_forget(world.token());
                let both = futures::future::join(rx.into_future(), world.call(false));
                _ = world.at("2 a future and a call", both).await;
                // The writer has the rest, and stays open until it is cancelled.
                _ = world.at("3 a read", reader.read(Vec::with_capacity(2))).await;
                let inner = world.clone();
                let other = spawn_local(async move { inner.call(true).await });
                _ = world.at("4 a task", other).await;
                task.cancel();
                task.await;
            })
        },
        &["1 next", "2 a future and a call", "3 a read", "4 a task"],
        140,
    );
}

#[test]
fn the_first_of_two_and_scopes() {
    cancelled_everywhere(
        |world| {
            Box::pin(async move {
                let mut reader = world.stream(&[2]);
                let first = timeout(Box::pin(world.call(true)), Box::pin(reader.next()));
                if let Err(late) = world.at("1 a call or an item", first).await {
                    world.at("2 the call", late).await;
                }
                let all = scope(async |scope| {
                    let call = scope.spawn(world.call(true));
                    let read = scope.spawn(reader.read(Vec::with_capacity(4)));
                    let winner = select(call, read).await;
                    if let Either::Left((_, read)) = winner {
                        read.cancel();
                    }
                });
                world.at("3 a scope", all).await;
            })
        },
        &["1 a call or an item", "2 the call", "3 a scope"],
        200,
    );
}

#[test]
fn all_at_once() {
    cancelled_everywhere(
        |world| {
            Box::pin(async move {
                let (mut writer, given) = stream::<Token>();
                world.reader(given, &[2]);
                let mut reader = world.stream(&[2]);
                let inner = world.clone();
                let spawned = spawned_call(inner);
                let write = writer.write_all(vec![world.token(), world.token()]);
                let all = futures::future::join4(
                    world.at("a call", world.call(true)),
                    world.at("a write", write),
                    world.at("a read", reader.next()),
                    world.at("a task", spawned),
                );
                _ = all.await;
            })
        },
        &["a call", "a read", "a task", "a write"],
        10_000,
    );
}

fn spawned_call(world: Rc<World>) -> JoinHandle<Token> {
    spawn_local(async move { world.call(true).await })
}

#[test]
fn reads_that_are_given_up_lose_nothing() {
    cancelled_everywhere(
        |world| {
            Box::pin(async move {
                let mut reader = world.stream(&[2, 1]);
                let mut got = 0;
                loop {
                    let timer = world.call(true);
                    let read = Box::pin(reader.read(Vec::with_capacity(2)));
                    match world.at("1 a read or a call", select(read, Box::pin(timer))).await {
                        Either::Left(((StreamResult::Dropped, _), _)) => return,
                        Either::Left(((_, tokens), _)) => got += tokens.len(),
                        Either::Right(_) => break,
                    }
                }
                got += world.at("2 the rest", reader.collect()).await.len();
                assert!(got <= 3);
            })
        },
        &["1 a read or a call", "2 the rest"],
        300,
    );
}

#[test]
fn tasks_that_heed_a_cancellation() {
    let found = explore(|world| {
        Box::pin(async move {
            let done = Cancellation::heed(async |cancellation| {
                let call = pin!(world.at("a call", world.call(true)));
                let notice = pin!(cancellation.requested());
                match select(call, notice).await {
                    Either::Left((token, _)) => Some(token),
                    Either::Right(_) => {
                        // Only now it is given up.
                        let cleanup = world.call(false).await;
                        drop(cleanup);
                        cancellation.confirm().await;
                        None
                    }
                }
            });
            _ = done.await;
            world.at("another call", world.call(true)).await;
        })
    });
    if !cfg!(miri) {
        assert!(found.cancelled > 5 && found.returned > 0 && found.runs >= 20, "{} orders", found.runs);
        assert_eq!(found.dropped.into_iter().collect::<Vec<_>>(), ["a call", "another call"]);
    }
}
