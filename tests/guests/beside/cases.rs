// The cases, once for each runtime whose imports they use.

use crate::shared::{Spawn, WAITS, leave, take_left};
use futures::channel::oneshot;
use futures::future::{Either, join as both, join_all, poll_immediate, select};
use std::pin::pin;

/// Runs a case, and tells what came of it; `own` spawns with the runtime of the task.
pub(crate) async fn run(name: &str, own: Spawn) -> String {
    match name {
        "ready" => echo(7).await.to_string(),
        "pending" => later(2, 7).await.to_string(),
        "many" => join_all((0..50).map(|n| later(n % 3, n))).await.iter().sum::<u32>().to_string(),
        "stream read" => read().await,
        "stream written" => write().await,
        "stream given up" => give_up().await,
        "future read" => answer(2, 7).await.to_string(),
        "future written" => {
            let (writer, reader) = wit_future::new(|| 0_u32);
            let (taken, written) = both(take(2, reader), writer.write(7)).await;
            format!("{taken} {}", written.is_ok())
        }
        "default written" => {
            let (writer, reader) = wit_future::new(|| 7_u32);
            drop(writer);
            take(2, reader).await.to_string()
        }
        "default left" => {
            let (writer, reader) = wit_future::new(|| 7_u32);
            keep(2, reader);
            drop(writer);
            "left".into()
        }
        "kept" => {
            while kept().is_none() {
                later(1, 0).await;
            }
            format!("{:?}", kept())
        }
        "spawned" => format!("{:?}", join(async { later(2, 3).await + later(1, 4).await }).await),
        "spawned many" => {
            let others = join_all((0..20).map(|n| join(later(n % 3, n))));
            let (first, others) = both(join(later(2, 1)), others).await;
            format!("{first:?} {}", others.into_iter().flatten().sum::<u32>())
        }
        "spawned by the task's" => {
            let (sender, receiver) = oneshot::channel();
            own(Box::pin(async move { _ = sender.send(later(2, 3).await + later(1, 4).await) }));
            format!("{:?}", receiver.await.ok())
        }
        "spawned and cancelled" => format!("{:?} {}", spawn_and_cancel(later(60_000, 0)).await, unanswered()),
        "spawned and left" => {
            _ = spawn(async { leave(Box::pin(later(later(3, 1).await, 7))) });
            "left".into()
        }
        "moved" => {
            let mut call = Box::pin(later(3, 7));
            let early = poll_immediate(&mut call).await;
            let (sender, receiver) = oneshot::channel();
            own(Box::pin(async move { _ = sender.send(call.await) }));
            format!("{early:?} {:?}", receiver.await.ok())
        }
        "cancelled" => match select(pin!(later(60_000, 0)), pin!(later(2, 7))).await {
            Either::Left(_) => "late".into(),
            Either::Right((value, late)) => {
                _ = late;
                value.to_string()
            }
        },
        "timeout" => {
            let late = limited(2, later(60_000, 7)).await;
            let early = limited(60_000, later(2, 7)).await;
            format!("{late:?} {early:?} {}", unanswered())
        }
        "blocking" => {
            let result = block_on(async { later(2, 3).await + later(1, 4).await });
            (result + later(1, 1).await).to_string()
        }
        "left" => {
            let mut call = Box::pin(later(4, 7));
            let early = poll_immediate(&mut call).await;
            leave(call);
            format!("{early:?}")
        }
        "taken" => loop {
            match take_left() {
                Some(call) => break call.await.to_string(),
                None => _ = later(1, 0).await,
            }
        },
        "dropped" => {
            drop(take_left());
            unanswered().to_string()
        }
        "waits" => {
            let (sender, receiver) = oneshot::channel();
            WAITS.set(Some(sender));
            // Beside a pending call: some of the peer's tasks cannot wait for Rust alone.
            match select(receiver, pin!(later(60_000, 0))).await {
                Either::Left((told, _)) => format!("{:?}", told.ok()),
                Either::Right(_) => "nobody woke it".into(),
            }
        }
        "wakes" => {
            while WAITS.with_borrow(|waits| waits.is_none()) {
                later(1, 0).await;
            }
            // It sleeps now.
            later(2, 0).await;
            format!("{:?}", WAITS.take().map(|sender| sender.send(7).is_ok()))
        }
        "long" => later(60_000, 0).await.to_string(),
        "unanswered" => unanswered().to_string(),
        _ => format!("there is no case `{name}`"),
    }
}

/// Three writes, of which each waits for its reader.
async fn write() -> String {
    let (mut writer, reader) = wit_stream::new();
    let written = async move {
        let mut rest = 0;
        for piece in 1..4_u8 {
            rest += writer.write_all(vec![piece; 3]).await.len();
        }
        rest
    };
    let (sum, rest) = both(sum(reader), written).await;
    format!("{sum} {rest}")
}

/// A read that is pending is dropped, and then the reader.
async fn give_up() -> String {
    let mut reader = slow_numbers(5);
    let first = poll_immediate(reader.next()).await;
    later(20, 0).await;
    let second = reader.next().await;
    drop(reader);
    format!("{} {}", first.is_none(), second.is_some())
}

/// The sum of what is read, one by one.
async fn read() -> String {
    let (mut reader, mut sum) = (numbers(5), 0);
    while let Some(number) = reader.next().await {
        sum += u32::from(number);
    }
    sum.to_string()
}
