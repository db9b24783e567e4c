//! Streams and futures between hosts and guests.

use super::embedder::{Flows, Host, Point, instance};
use anyhow::Result;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use std::time::Duration;
use wasp_host_rt::{Handle, InFuture, InStream};
use wasp_tests::engine::traced;

/// Runs something on an instance whose store is driven meanwhile, and checks that nothing is left of it.
async fn with_handle(test: impl AsyncFnOnce(&Handle<Host>, &Flows) -> Result<()>) -> Result<()> {
    let (store, flows) = instance().await?;
    let (handle, driver) = Handle::new(store);
    let driver = tokio::spawn(driver);
    let tested = tokio::time::timeout(Duration::from_secs(60), test(&handle, &flows)).await;
    drop(handle);
    tested.expect("something waits for ever")?;
    let store = tokio::time::timeout(Duration::from_secs(60), driver).await;
    traced(store.expect("the driver does not end")?)?;
    Ok(())
}

#[tokio::test]
async fn streams_of_the_host_are_read_by_the_guest() -> Result<()> {
    with_handle(async |handle, flows| {
        let sum = flows.sum_concurrent(handle, InStream::from_iter(0..100_000)).await;
        assert_eq!(traced(sum)?, 4_999_950_000);
        let points = InStream::from((0..10_000).map(|x| Point { x, y: 1 }).collect::<Vec<_>>());
        assert_eq!(traced(flows.sum_points_concurrent(handle, points).await)?, 50_005_000);
        let bytes = InStream::from_chunks(stream::iter(vec![Bytes::from(vec![0; 100_000]); 20]));
        assert_eq!(traced(flows.count_bytes_concurrent(handle, bytes).await)?, 2_000_000);
        let empty = InStream::from_bytes(Vec::new());
        assert_eq!(traced(flows.count_bytes_concurrent(handle, empty).await)?, 0);
        assert_eq!(traced(flows.names_concurrent(handle, 2).await)?, ["0 item 0", "1 item 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn streams_of_the_guest_are_read_by_the_host() -> Result<()> {
    with_handle(async |handle, flows| {
        let numbers: Vec<u32> = traced(flows.numbers_concurrent(handle, 10_000).await)?.collect().await;
        assert_eq!(numbers, (0..10_000).collect::<Vec<_>>());
        assert_eq!(traced(flows.send_concurrent(handle, 1000, None).await)?, 499_500);
        assert_eq!(traced(flows.send_concurrent(handle, 1000, Some(10)).await)?, 45);
        assert_eq!(traced(flows.send_bytes_concurrent(handle, 100_000).await)?, 100_000);
        assert_eq!(traced(flows.send_points_concurrent(handle, 1000).await)?, 500_500);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn bytes_go_through_the_guest_and_come_back() -> Result<()> {
    with_handle(async |handle, flows| {
        let (mut sender, receiver) = tokio::io::duplex(1000);
        let shouted = traced(flows.shout_concurrent(handle, InStream::from_reader(receiver)).await)?;
        let writes = tokio::spawn(async move {
            for _ in 0..1000 {
                tokio::io::AsyncWriteExt::write_all(&mut sender, b"some words\n").await.unwrap();
            }
        });
        let mut text = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut { shouted }, &mut text).await?;
        writes.await?;
        assert_eq!(text, "SOME WORDS\n".repeat(1000));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn futures_pass_in_both_directions() -> Result<()> {
    with_handle(async |handle, flows| {
        assert_eq!(traced(traced(flows.later_concurrent(handle, 5).await)?.await)?, 5);
        assert_eq!(traced(flows.plus_concurrent(handle, InFuture::new(async { 2 }), 3).await)?, 5);
        assert_eq!(traced(flows.waits_concurrent(handle, 4).await)?, 8);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn dropped_readers_do_not_hang_their_writers() -> Result<()> {
    with_handle(async |handle, flows| {
        assert_eq!(traced(flows.refused_concurrent(handle).await)?, 100);
        let (mut numbers, written) = traced(flows.endless_concurrent(handle).await)?;
        assert_eq!(numbers.next().await, Some(0));
        drop(numbers);
        assert!(traced(written.await)? >= 1);
        // Never looked at.
        let (numbers, written) = traced(flows.endless_concurrent(handle).await)?;
        drop(numbers);
        traced(written.await)?;
        drop(traced(flows.later_concurrent(handle, 1).await)?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_guest_that_drops_its_reader_ends_the_hosts_stream() -> Result<()> {
    struct Dropped(Option<tokio::sync::oneshot::Sender<()>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            _ = self.0.take().map(|told| told.send(()));
        }
    }
    with_handle(async |handle, flows| {
        let (told, dropped) = tokio::sync::oneshot::channel();
        let guard = Dropped(Some(told));
        let endless = InStream::new(stream::repeat(1_u32).inspect(move |_| _ = &guard));
        // Comes back, and is dropped here.
        let back = traced(flows.back_concurrent(handle, endless).await)?;
        drop(back);
        dropped.await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_that_comes_back_is_the_same_and_is_not_read_on_the_way() -> Result<()> {
    with_handle(async |handle, flows| {
        let back = traced(flows.back_concurrent(handle, InStream::from_iter(0..1000_u32)).await)?;
        let again = traced(flows.back_concurrent(handle, back).await)?;
        assert_eq!(again.collect::<Vec<_>>().await, (0..1000).collect::<Vec<_>>());
        // One of the guest's goes back to it, whole or begun.
        let numbers = traced(flows.numbers_concurrent(handle, 1000).await)?;
        assert_eq!(traced(flows.sum_concurrent(handle, numbers).await)?, 499_500);
        let mut numbers = traced(flows.numbers_concurrent(handle, 1000).await)?;
        assert_eq!(numbers.next().await, Some(0));
        assert_eq!(numbers.next().await, Some(1));
        assert_eq!(traced(flows.sum_concurrent(handle, numbers).await)?, 499_499);
        assert_eq!(traced(flows.forward_concurrent(handle, 100).await)?, 4950);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_error_of_the_hosts_source_comes_as_the_paired_futures_error() -> Result<()> {
    with_handle(async |handle, flows| {
        assert_eq!(traced(flows.read_concurrent(handle, 10, false).await)?, Ok(100));
        assert_eq!(traced(flows.read_concurrent(handle, 10, true).await)?, Err("broken".to_string()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn streams_pass_without_a_handle() -> Result<()> {
    let (mut store, flows) = instance().await?;
    assert_eq!(traced(flows.sum(&mut store, InStream::from(vec![1, 2, 3])).await)?, 6);
    let numbers = traced(flows.numbers(&mut store, 100).await)?;
    let numbers = traced(store.run_concurrent(async |_| numbers.collect::<Vec<_>>().await).await)?;
    assert_eq!(numbers.len(), 100);
    Ok(())
}
