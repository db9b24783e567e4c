//! Many tasks that call one instance.

use super::embedder::instance;
use anyhow::Result;
use std::time::Duration;
use wasmtime::Trap;
use wasp_host_rt::{Handle, InStream, Stopped};
use wasp_tests::engine::traced;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_call_one_instance() -> Result<()> {
    let (store, flows) = instance().await?;
    let (handle, driver) = Handle::new(store);
    let driver = tokio::spawn(driver);
    let calls = (0..1000_u32).map(|n| {
        let (handle, flows) = (handle.clone(), flows.clone());
        tokio::spawn(async move {
            assert_eq!(
                flows.sum_concurrent(&handle, InStream::from_iter(0..n)).await?,
                u64::from(n * n.max(1) - n) / 2
            );
            flows.echo_concurrent(&handle, format!("call {n}")).await
        })
    });
    for (n, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(traced(call.await?)?, format!("call {n}"));
    }
    drop(handle);
    traced(driver.await?)?;
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_the_instance_usable() -> Result<()> {
    let (store, flows) = instance().await?;
    let (handle, driver) = Handle::new(store);
    tokio::spawn(driver);
    for _ in 0..100 {
        let hung = tokio::time::timeout(Duration::from_millis(1), flows.hang_concurrent(&handle)).await;
        assert!(hung.is_err(), "it never returns");
        assert_eq!(traced(flows.echo_concurrent(&handle, "there".into()).await)?, "there");
    }
    Ok(())
}

#[tokio::test]
async fn a_pending_import_blocks_no_other_call() -> Result<()> {
    let (store, flows) = instance().await?;
    let (handle, driver) = Handle::new(store);
    tokio::spawn(driver);
    let mut hangs = Box::pin(flows.hang_concurrent(&handle));
    for _ in 0..10 {
        assert!(futures::poll!(&mut hangs).is_pending());
        assert_eq!(traced(flows.send_concurrent(&handle, 100, None).await)?, 4950);
        assert_eq!(traced(flows.conns_concurrent(&handle, 10).await)?, 45);
    }
    assert!(futures::poll!(&mut hangs).is_pending());
    Ok(())
}

#[tokio::test]
async fn a_trap_is_told_to_every_waiting_call_and_to_later_ones() -> Result<()> {
    let (store, flows) = instance().await?;
    let (handle, driver) = Handle::new(store);
    let driver = tokio::spawn(driver);
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let (handle, flows) = (handle.clone(), flows.clone());
            tokio::spawn(async move { flows.hang_concurrent(&handle).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let trapped = |error: wasmtime::Error| {
        let stopped = error.downcast_ref::<Stopped>().expect("the store was stopped");
        assert_eq!(stopped.cause().and_then(|cause| cause.downcast_ref()), Some(&Trap::UnreachableCodeReached));
    };
    trapped(flows.trap_concurrent(&handle).await.unwrap_err());
    for call in waiting {
        trapped(call.await?.unwrap_err());
    }
    trapped(flows.echo_concurrent(&handle, String::new()).await.unwrap_err());
    trapped(driver.await?.err().expect("it failed"));
    Ok(())
}

#[tokio::test]
async fn calls_fail_when_the_driver_is_dropped() -> Result<()> {
    let (store, flows) = instance().await?;
    let (handle, driver) = Handle::new(store);
    let driver = tokio::spawn(driver);
    let (other, other_flows) = (handle.clone(), flows.clone());
    let hung = tokio::spawn(async move { other_flows.hang_concurrent(&other).await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    driver.abort();
    let error = hung.await?.unwrap_err();
    assert!(error.downcast_ref::<Stopped>().is_some_and(|stopped| stopped.cause().is_none()), "{error:?}");
    assert!(flows.echo_concurrent(&handle, String::new()).await.is_err());
    Ok(())
}

#[tokio::test]
async fn the_store_comes_back_when_the_last_handle_is_gone() -> Result<()> {
    let (store, flows) = instance().await?;
    let (handle, driver) = Handle::new(store);
    let driver = tokio::spawn(driver);
    assert_eq!(traced(flows.echo_concurrent(&handle.clone(), "a".into()).await)?, "a");
    drop(handle);
    let mut store = traced(driver.await?)?;
    assert_eq!(traced(flows.echo(&mut store, "b").await)?, "b");
    Ok(())
}

#[tokio::test]
async fn a_call_on_the_store_that_is_dropped_leaves_the_instance_usable() -> Result<()> {
    let (mut store, flows) = instance().await?;
    for _ in 0..20 {
        // It has a suspended import by then.
        let hung = tokio::time::timeout(Duration::from_millis(1), flows.hang(&mut store)).await;
        assert!(hung.is_err(), "it never returns");
        assert_eq!(traced(flows.echo(&mut store, "there").await)?, "there");
        assert_eq!(traced(flows.send(&mut store, 10, None).await)?, 45);
    }
    Ok(())
}
