//! The pair of WASI: a stream, and a future that tells how it ended.

use crate::adapters::runs;
use crate::support::*;
use futures::StreamExt;
use wasp_guest_rt::{ResultStream, spawn_local};

type Outcome = Result<u32, String>;

/// Items, and then the outcome: which is only there when the stream has ended or its reader is gone, as WASI has it.
fn pair(items: core::ops::Range<u32>, outcome: Outcome) -> ResultStream<u32, u32, String> {
    let (mut writer, reader) = stream::<u32>();
    let (tx, rx) = future::<Outcome>(|| Err("nothing was written".into()));
    spawn_local(async move {
        for item in items {
            if writer.write_one(item).await.is_some() {
                break;
            }
        }
        drop(writer);
        tx.write_and_forget(outcome);
    })
    .detach();
    ResultStream::from((reader, rx))
}

#[test]
fn all_items_come_before_the_result() {
    runs(async {
        let mut stream = pair(0..3, Ok(42));
        for item in 0..3 {
            assert_eq!(stream.try_next().await, Ok(Some(item)));
        }
        assert_eq!(stream.try_next().await, Ok(None));
        assert_eq!(stream.try_next().await, Ok(None));
        assert_eq!(stream.finish().await, Ok(Some(42)));
        assert_eq!(pair(0..3, Ok(1)).collect_with_result().await, Ok((vec![0, 1, 2], Some(1))));
    });
}

#[test]
fn an_error_comes_once_and_after_all_items() {
    runs(async {
        let mut stream = pair(0..2, Err("broken".into()));
        assert_eq!(stream.try_next().await, Ok(Some(0)));
        assert_eq!(stream.next_chunk().await, Ok(Some(vec![1])));
        assert_eq!(stream.next_chunk().await, Err("broken".into()));
        assert_eq!(stream.try_next().await, Ok(None));
        assert_eq!(stream.finish().await, Ok(None));
        assert_eq!(pair(0..1, Err("late".into())).collect_with_result().await, Err("late".into()));
    });
}

#[test]
fn it_is_a_stream_of_results() {
    runs(async {
        let items: Vec<_> = StreamExt::collect(pair(0..2, Err("broken".into()))).await;
        assert_eq!(items, [Ok(0), Ok(1), Err("broken".to_owned())]);
    });
}

#[test]
fn finishing_early_lets_the_writer_go_before_it_waits() {
    runs(async {
        let mut stream = pair(0..1_000_000, Ok(7));
        assert_eq!(stream.try_next().await, Ok(Some(0)));
        // Were the stream still there, the writer would wait for it, and this for the writer.
        assert_eq!(stream.finish().await, Ok(Some(7)));
    });
}

#[test]
fn a_pair_that_is_not_at_its_end_is_passed_on_as_it_came() {
    runs(async {
        let stream = pair(0..3, Ok(1));
        let (reader, result) = stream.into_inner().unwrap();
        assert_eq!(reader.collect().await, [0, 1, 2]);
        assert_eq!(result.await, Ok(1));
        let mut ended = pair(0..0, Ok(1));
        assert_eq!(ended.try_next().await, Ok(None));
        assert!(ended.into_inner().is_err());
    });
}
